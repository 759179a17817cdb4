"""Write tables of scores; :mod:`mmmammo.io.score_tables` reads them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

LABEL, SCORE = 'label', 'score'
"""Columns of a single class; those of several are ``label_<class>`` and ``score_<class>``."""
IDS = ('image_id', 'exam_id', 'patient_id', 'laterality', 'view', 'split')


@dataclass(frozen=True)
class ScoreRow:
    """What one row says; texts are empty where nothing is known.

    Args:
        image_id: Empty for rows that are breasts or exams.
        exam_id: Of the image.
        patient_id: Pseudonymous.
        laterality: ``'L'``, ``'R'`` or ``'U'``; empty for exams.
        view: Empty for rows that are breasts or exams.
        split: Name of the split.
        labels: (c,).
        scores: (c,) in [0, 1].
        attributes: Further columns, e.g. ``{'density': 'B'}``; names of other columns are left out.
    """

    image_id: str
    exam_id: str
    patient_id: str
    laterality: str
    view: str
    split: str
    labels: tuple[bool, ...]
    scores: tuple[float, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)


def value_columns(classes: Sequence[str]) -> list[str]:
    """``['label', 'score']``, or a pair for each of several classes.

    Args:
        classes: Names; a single class needs none.
    """
    if len(classes) == 1:
        return [LABEL, SCORE]
    return [name for one in classes for name in (f'{LABEL}_{one}', f'{SCORE}_{one}')]


def write_scores(path: str | Path, rows: Sequence[ScoreRow], classes: Sequence[str] = ('',)) -> None:
    """Write a table; it appears whole or not at all.

    Columns of ids that no row has are left out. Scores keep every digit.

    Args:
        path: Its folder is made.
        rows: In the order of the file.
        classes: Names of the classes, in the order of labels and scores.

    Raises:
        MammoError: If some rows have an id that others lack, or two rows the same ids.
    """
    path = Path(path)
    ids = [name for name in IDS if any(getattr(row, name) for row in rows)]
    _check_ids(path, rows, ids)
    values = value_columns(classes)
    taken = {*IDS, *values}
    further = sorted({name for row in rows for name in row.attributes} - taken)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow([*ids, *values, *further])
        writer.writerows(_cells(row, ids, further) for row in rows)


def _cells(row: ScoreRow, ids: Sequence[str], further: Sequence[str]) -> list[object]:
    pairs = [
        cell for label, score in zip(row.labels, row.scores, strict=True) for cell in (int(label), repr(float(score)))
    ]
    attributes = (row.attributes.get(name) for name in further)
    return [*(getattr(row, name) for name in ids), *pairs, *('' if value is None else value for value in attributes)]


def _check_ids(path: Path, rows: Sequence[ScoreRow], ids: Sequence[str]) -> None:
    """Image, exam and patient of every row or of none, and no row twice."""
    for name in ('image_id', 'exam_id', 'patient_id'):
        lacking = sum(not getattr(row, name) for row in rows)
        if name in ids and lacking:
            raise _error(path, name, f'{lacking} of {len(rows)} rows without', 'it in every row, or in none')
    keys = [(row.image_id,) if row.image_id else (row.exam_id, row.laterality) for row in rows]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _error(path, 'rows', f'several rows of {"_".join(twice)}', 'one row per image, breast or exam')


def _error(path: Path, field: str, found: str, expected: str) -> MammoError:
    remedy = "let samples carry img_id, exam_id, patient_id, laterality and view: meta_keys of the pipeline's packing"
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
