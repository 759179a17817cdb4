"""Tables of scores put together: folds one below the other, models averaged row by row."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from mmmammo.evaluation.functional import log_odds
from mmmammo.io.score_files import IDS
from mmmammo.io.score_tables import ScoreTable, read_score_table
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

FOLD = 'fold'
OUT_OF_FOLD = 'out-of-fold'
SCALES = ('probability', 'log_odds')
"""What models are averaged on; paper 4 averages log-odds."""


@dataclass(frozen=True)
class _Lines:
    """A table as text, so that what is only passed on stays as it was."""

    path: Path
    head: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def merge_folds(parts: Mapping[int, Path], out: Path) -> int:
    """Write the rows of all folds into one table, with a column ``fold``; whole or not at all.

    The rows are in the order of their image ids, and their split is called ``out-of-fold``. Columns that only some
    folds have are empty elsewhere.

    Args:
        parts: Fold -> its ``scores.csv``.
        out: The file to write.

    Returns:
        How many rows.

    Raises:
        MammoError: If a table is missing or faulty, classes differ, or an image or patient is in two folds.
    """
    tables = {fold: _read(path) for fold, path in sorted(parts.items())}
    _check_folds({fold: read_score_table(path, strict=True) for fold, path in sorted(parts.items())}, parts)
    extra = sorted({name for table in tables.values() for name in table.head} - {*_fixed(tables)})
    head = [*_fixed(tables), *extra]
    rows = [row | {FOLD: str(fold), 'split': OUT_OF_FOLD} for fold, table in tables.items() for row in table.rows]
    _write(out, head, sorted(rows, key=_row_order))
    return len(rows)


def average_tables(paths: Sequence[Path], out: Path, scale: str = 'probability') -> int:
    """Write the mean of several models' scores of the same rows; whole or not at all.

    Args:
        paths: A ``scores.csv`` per model. All but the scores is that of the first.
        out: The file to write.
        scale: Of the mean, one of :data:`SCALES`.

    Returns:
        How many rows.

    Raises:
        MammoError: If a table is missing or faulty, or rows, classes or labels differ.
    """
    if scale not in SCALES or not paths:
        found = f'{scale!r} of {len(paths)} models'
        raise _error(out, 'average', found, f'one of {SCALES}, of at least one model', 'correct it')
    tables = [read_score_table(path, strict=True) for path in paths]
    orders = [_aligned(table, tables[0], path, paths[0]) for table, path in zip(tables, paths, strict=True)]
    scores = np.stack([table.scores[order] for table, order in zip(tables, orders, strict=True)])
    mean = scores.mean(axis=0) if scale == 'probability' else _mean_of_odds(scores)
    lines = _read(paths[0])
    columns = _score_columns(lines, tables[0])
    for row, values in zip(lines.rows, mean, strict=True):
        row |= {column: repr(float(value)) for column, value in zip(columns, values, strict=True)}
    _write(out, lines.head, lines.rows)
    return len(lines.rows)


def _read(path: Path) -> _Lines:
    if not path.is_file():
        remedy = 'cross-validate a classifier; its test writes this file. Or remove the fold to make it again'
        raise _error(path, 'file', 'nothing', 'scores of a fold', remedy)
    with path.open(encoding='utf-8', newline='') as file:
        reader = csv.DictReader(file)
        rows = tuple(reader)
    return _Lines(path, tuple(reader.fieldnames or ()), rows)


def _fixed(tables: Mapping[int, _Lines]) -> list[str]:
    """Columns that come first: ids, fold, labels and scores."""
    first = next(iter(tables.values()))
    ids = [name for name in IDS if name in first.head or name == 'split']
    values = [name for name in first.head if name.split('_')[0] in ('label', 'score')]
    return [*ids, FOLD, *values]


def _check_folds(tables: Mapping[int, ScoreTable], parts: Mapping[int, Path]) -> None:
    home: dict[str, int] = {}
    patient_home: dict[str, int] = {}
    first = next(iter(tables.values()))
    for fold, table in tables.items():
        if table.classes != first.classes:
            raise _error(parts[fold], 'classes', table.classes, f'{first.classes}, as the first fold', 'make it again')
        twice = [row for row in table.ids if home.setdefault(row, fold) != fold]
        shared = [one for one in table.patient_ids if patient_home.setdefault(one, fold) != fold]
        if twice or shared:
            what, which, where = ('image', twice[0], home) if twice else ('patient', shared[0], patient_home)
            found = f'{what} {which}, also in fold {where[which]}'
            raise _error(parts[fold], 'rows', found, 'every patient in one fold', 'remove the folder and run again')


def _aligned(table: ScoreTable, first: ScoreTable, path: Path, first_path: Path) -> list[int]:
    """The rows of a table in the order of the first one's."""
    place = {row: number for number, row in enumerate(table.ids)}
    missing = [row for row in first.ids if row not in place]
    if missing or len(place) != len(first.ids) or table.classes != first.classes:
        found = f'{len(place)} rows of {table.classes}' + (f', without {missing[0]}' if missing else '')
        expected = f'the {len(first.ids)} rows of {first.classes} of {first_path}'
        raise _error(path, 'rows', found, expected, 'average models of the same images')
    order = [place[row] for row in first.ids]
    if (table.labels[order] != first.labels).any():
        raise _error(path, 'labels', 'others', f'those of {first_path}', 'average models of one question')
    return order


def _score_columns(lines: _Lines, table: ScoreTable) -> list[str]:
    return ['score'] if 'score' in lines.head else [f'score_{name}' for name in table.classes]


def _row_order(row: Mapping[str, str]) -> tuple[int, tuple[str, ...]]:
    """Numbers as numbers."""
    image = row.get('image_id', '')
    return int(image) if image.isdecimal() else 0, tuple(row.get(name, '') for name in IDS)


def _mean_of_odds(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    odds = log_odds(scores.ravel()).reshape(scores.shape).mean(axis=0)
    return np.asarray(expit(odds))


def _write(path: Path, head: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, newline='') as file:
        writer = csv.DictWriter(file, head, restval='', lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


def _error(where: object, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(str(where), field=field, found=found, expected=expected, remedy=remedy)
