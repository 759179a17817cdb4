"""What has been done already, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mmmammo.prepare.quality import QualityRow

_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Entry:
    """The outcome of one record.

    Args:
        key: The record's relative path.
        task: Digest of the options and of what the source says about the record.
        sha256: Of the source file; empty if it could not be read.
        quality: Its row of ``quality.csv``.
        image: COCO entry of the prepared image, ``None`` if quarantined.
        findings: COCO entries of its findings, each with its ``category``.
        split: ``'train'``, ``'val'``, ``'test'`` or ``None``.
    """

    key: str
    task: str
    sha256: str
    quality: QualityRow
    image: dict[str, Any] | None = None
    findings: tuple[dict[str, Any], ...] = ()
    split: str | None = None


class Journal:
    """Entries by key, appended to a file of JSON lines as they come.

    A line that a kill cut short is skipped when the file is read; its record is done again.

    Args:
        path: The file; made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        if path.is_file():
            for line in path.read_text(encoding='utf-8', errors='replace').splitlines():
                self._take(line)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open('a', encoding='utf-8')
        self._file.write('\n')  # ends a line that was cut short

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Keep an entry; after this call it survives a kill of the process."""
        self.entries[entry.key] = entry
        self._file.write(json.dumps(asdict(entry)) + '\n')
        self._file.flush()

    def _take(self, line: str) -> None:
        try:
            data = json.loads(line)
            entry = Entry(
                **{
                    **data,
                    'quality': QualityRow.from_json(data['quality']),
                    'findings': tuple(data['findings']),
                }
            )
        except (ValueError, TypeError, KeyError):
            return
        self.entries[entry.key] = entry


def sha256_of(path: Path) -> str:
    """Hex digest of a file; empty if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open('rb') as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ''
    return digest.hexdigest()
