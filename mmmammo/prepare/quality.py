"""One row per input file: what became of it, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from mmmammo.io.whole_files import written_whole
from mmmammo.sources.tables import Row, read_table

STATUSES = ACCEPTED, MENDED, QUARANTINED = 'accepted', 'mended', 'quarantined'

_TEXTS = ('path', 'status', 'problems', 'reason', 'warnings', 'exam_id', 'laterality', 'view')


@dataclass(frozen=True)
class QualityRow:
    """What became of one file; absent values are ``None``. Holds no identity beyond the source's exam names.

    Args:
        path: Relative to the raw folder.
        status: ``'accepted'``, ``'mended'`` (something was put right) or ``'quarantined'`` (left out).
        problems: What the quality gate found and did about it, ``'implant=accept; laterality=mend'``; names as in
            ``--policy``.
        reason: Why it was mended or quarantined.
        warnings: What the reader of the results should know, ``'; '``-separated.
        rows: Of the source, in pixels; so ``columns``.
        bits: Significant bits of a stored value.
        landmark_confidence: In [0, 1].
    """

    path: str
    status: str
    problems: str = ''
    reason: str = ''
    warnings: str = ''
    exam_id: str = ''
    laterality: str = ''
    view: str = ''
    rows: int | None = None
    columns: int | None = None
    bits: int | None = None
    pixel_spacing_mm: float | None = None
    landmark_confidence: float | None = None


def read_quality(path: Path) -> dict[str, QualityRow]:
    """The rows of ``quality.csv`` by file.

    Raises:
        MammoError: If it cannot be read, lacks a column, or a cell holds no number where one is due.
    """
    names = [field.name for field in fields(QualityRow)]
    rows = (_row_of(row) for row in read_table(path, names, absent=('',)).rows)
    return {row.path: row for row in rows}


def _row_of(row: Row) -> QualityRow:
    texts = {name: row.text(name, '') for name in _TEXTS}
    counts = {name: row.integer(name, None) for name in ('rows', 'columns', 'bits')}
    numbers = {name: row.number(name, None) for name in ('pixel_spacing_mm', 'landmark_confidence')}
    return QualityRow(**texts, **counts, **numbers)


def write_quality(path: Path, rows: Iterable[QualityRow]) -> None:
    """Write ``quality.csv``, whole or not at all."""
    names = [field.name for field in fields(QualityRow)]
    with written_whole(path, newline='') as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            writer.writerow(['' if getattr(row, name) is None else getattr(row, name) for name in names])
