"""What was used of a file of results, what was refused, and why: nothing is dropped in silence."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.provenance import without_place
from mmmammo.structures import MammoError

_HALF_CHARACTER = re.compile(r'\\u[dD][89a-fA-F]')


@dataclass(frozen=True)
class RefusedRow:
    """One row that was not used.

    Args:
        row: Its place: ``'line 17'`` of a table (the head is line 1), ``'detections[3]'`` of a JSON list.
        reason: What was found, what was expected, what to do.
    """

    row: str
    reason: str


@dataclass(frozen=True)
class Intake:
    """What became of one file.

    Args:
        path: As the user gave it, without folders elsewhere, which may name people.
        sha256: Of its content.
        what: What its rows are, e.g. ``'detections'``.
        used: Rows used.
        refused: Rows not used.
        left_out: Rows that were not asked for, such as those of another split.
    """

    path: str
    sha256: str
    what: str
    used: int
    refused: tuple[RefusedRow, ...] = ()
    left_out: int = 0

    def as_dict(self, most: int = 1000) -> dict[str, Any]:
        """For JSON: all counts, and the first ``most`` of the refused rows."""
        listed = [{'row': refused.row, 'reason': refused.reason} for refused in self.refused[:most]]
        counts = {'used': self.used, 'refused': len(self.refused), 'left_out': self.left_out}
        return {'path': self.path, 'sha256': self.sha256, 'rows': self.what, **counts, 'refused_rows': listed}


class RowGate:
    """Collects the refusals while a file is read.

    Args:
        path: The file.
        what: What its rows are.
        strict: Stop at the first refused row.
    """

    def __init__(self, path: str | Path, what: str, strict: bool = False) -> None:
        self.path, self.what, self.strict = Path(path), what, strict
        self.refused: list[tuple[int, RefusedRow]] = []

    def refuse(self, place: int, row: str, error: MammoError) -> None:
        """Leave a row out.

        Args:
            place: Orders the refusals.
            row: See :class:`RefusedRow`.
            error: Whose reason is kept.

        Raises:
            MammoError: If the gate is strict.
        """
        if self.strict:
            raise MammoError(
                f'{self.path}, {row}',
                field=error.field,
                found=error.found,
                expected=error.expected,
                remedy=f'{error.remedy}; without --strict such rows are listed, counted and left out',
            )
        self.refused.append((place, RefusedRow(row, error.reason)))

    def close(self, used: int, left_out: int = 0) -> Intake:
        """The account of the whole file.

        Raises:
            MammoError: If rows were refused and none is left.
        """
        refused = tuple(row for _, row in sorted(self.refused, key=lambda item: item[0]))
        if refused and not used:
            raise MammoError(
                self.path,
                field=self.what,
                found=f'none that can be used of {len(refused)}; {refused[0].row}: {refused[0].reason}',
                expected='at least one good row',
                remedy='correct the file',
            )
        return Intake(without_place(str(self.path)), file_sha256(self.path), self.what, used, refused, left_out)


def file_sha256(path: str | Path) -> str:
    """Hex digest of a file."""
    with Path(path).open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def load_json(path: str | Path, expected: str, remedy: str = '') -> Any:
    """The document of a JSON file.

    Args:
        path: The file.
        expected: What it should be, for the complaint.
        remedy: What to do about one that is none; by default to give what is expected.

    Raises:
        MammoError: If it is absent or no JSON, or holds what Python cannot: too deep lists, numbers of thousands of
            digits, halves of characters that no file could be written with.
    """
    try:
        written = Path(path).read_text(encoding='utf-8')
        document = json.loads(written)
        if _HALF_CHARACTER.search(written):  # halves that make a whole are gone by now
            json.dumps(document, ensure_ascii=False).encode()
    except OSError as err:
        remedy = remedy or 'check the path'
        raise MammoError(path, field='file', found=err.strerror, expected=expected, remedy=remedy) from err
    except (ValueError, RecursionError) as err:
        remedy = remedy or f'give {expected}'
        raise MammoError(path, field='content', found=err, expected='JSON', remedy=remedy) from err
    return document


def first_of(names: Sequence[object], most: int = 3) -> str:
    """A few of many names, and how many more there are, for a message."""
    shown = ', '.join(str(name) for name in names[:most])
    return shown + (f' and {len(names) - most} more' if len(names) > most else '')
