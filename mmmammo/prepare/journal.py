"""What has been done already, so that a killed run goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mmmammo.io.coco_entries import finding_from_json, finding_to_json, image_from_json, image_to_json
from mmmammo.io.whole_files import written_whole
from mmmammo.prepare.quality import QualityRow
from mmmammo.structures import ImageRecord, MammoError, PreparedImage

_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Entry:
    """The outcome of one record.

    Args:
        key: The record's relative path.
        task: Digest of the options and of what the source says about the record.
        stamp: Size and time of every file of the record, see :func:`stamp_of`.
        sha256: Of every file of the record, the image first, with a space between; empty where one cannot be read.
        quality: Its row of ``quality.csv``.
        image: The prepared image with the source's own categories; ``None`` if quarantined.
    """

    key: str
    task: str
    stamp: str
    sha256: str
    quality: QualityRow
    image: PreparedImage | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for one line of the journal."""
        findings = () if self.image is None else self.image.findings
        return {
            'key': self.key,
            'task': self.task,
            'stamp': self.stamp,
            'sha256': self.sha256,
            'quality': asdict(self.quality),
            'image': None if self.image is None else image_to_json(self.image),
            'findings': [finding_to_json(finding) | {'category': finding.category} for finding in findings],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        """The inverse of :meth:`to_json`."""
        findings = [finding_from_json(finding, finding['category']) for finding in data.pop('findings')]
        image = data.pop('image')
        return cls(
            quality=QualityRow(**data.pop('quality')),
            image=None if image is None else image_from_json(image, findings),
            **data,
        )


class Journal:
    """Entries by key, appended to a file of JSON lines as they come.

    A line that a kill cut short is skipped when the file is read; its record is done again.

    Args:
        path: The file; made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self.image_names: set[str] = set()
        cut_short = False
        if path.is_file():
            with path.open(encoding='utf-8', errors='replace') as lines:  # one at a time: archives have long ones
                for line in lines:
                    self._take(line)
                    cut_short = not line.endswith('\n')
        self._file: IO[str] = path.open('a', encoding='utf-8')
        if cut_short:
            self._file.write('\n')

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, entry: Entry) -> None:
        """Keep an entry; after this call it survives a kill of the process."""
        self._keep(entry)
        self._file.write(json.dumps(entry.to_json()) + '\n')
        self._file.flush()

    def forget_images(self, names: Collection[str]) -> None:
        """Forget the outcomes whose images are about to be written anew, by whatever record; also after a kill.

        Args:
            names: Of image files.
        """
        for key, entry in list(self.entries.items()):
            if entry.image is not None and entry.image.file_name in names:
                self._file.write(json.dumps({'forget': key}) + '\n')
                del self.entries[key]
        self._file.flush()

    def compact(self, keys: Iterable[str]) -> set[str]:
        """Forget all but these records.

        Returns:
            Names of the images that the journal knew and that belong to no record any more.
        """
        self.entries = {key: self.entries[key] for key in keys}
        with written_whole(self.path) as file:
            file.writelines(json.dumps(e.to_json()) + '\n' for e in self.entries.values())
        self._file.close()
        self._file = self.path.open('a', encoding='utf-8')
        return self.image_names - {e.image.file_name for e in self.entries.values() if e.image is not None}

    def _keep(self, entry: Entry) -> None:
        self.entries[entry.key] = entry
        if entry.image is not None:
            self.image_names.add(entry.image.file_name)

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
            if 'forget' in said:
                self.entries.pop(said['forget'], None)
            else:
                self._keep(Entry.from_json(said))
        except (ValueError, TypeError, KeyError, RecursionError):  # cut short, or of another version
            return


@contextmanager
def only_one(folder: Path, other: str) -> Iterator[None]:
    """Keep a second run out of a folder as long as this one lives.

    Args:
        folder: For what runs keep there of their own; its parent holds what they make.
        other: What the message calls the run that is there.

    Raises:
        MammoError: If another run is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise MammoError(
                folder.parent,
                field='lock',
                found=other,
                expected='one run at a time',
                remedy='wait for it, or stop it; what it has done is kept',
            ) from err
        yield


def digest_of(record: ImageRecord, *more: str) -> str:
    """Changes when anything that a source says of a record does, or anything else that is named; not with pixels."""
    said = [
        *more,
        [record.exam_id, record.patient_id, record.laterality, record.view],
        [{**finding_to_json(finding), 'category': finding.category} for finding in record.findings],
        [vars(finding) | {'files': len(finding.files)} for finding in record.masked],
        None if record.landmarks is None else record.landmarks.to_json(),
        dict(record.labels),
        [record.pixel_spacing_mm, record.film and vars(record.film), record.notes, record.sha256],
        *manual_parts(record),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:24]


def manual_parts(record: ImageRecord) -> list[dict[str, Any]]:
    """The landmarks set by hand as plain values; nothing, not even an entry, where there are none."""
    parts = record.manual_landmarks
    return [] if parts is None else [{name: points.tolist() for name, points in sorted(parts.items())}]


def stamp_of(*paths: Path) -> str:
    """Size and time of files: while they are the same, none need be hashed again. Empty where one is not there."""
    return ' '.join(map(_stamp, paths))


def _stamp(path: Path) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ''
    return f'{status.st_size}-{status.st_mtime_ns}'


def sha256_of(*paths: Path) -> str:
    """Hex digests of files, with a space between; empty where one cannot be read."""
    return ' '.join(map(_sha256, paths))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    if not path.is_file():  # a named pipe would be read without end
        return ''
    try:
        with path.open('rb') as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ''
    return digest.hexdigest()
