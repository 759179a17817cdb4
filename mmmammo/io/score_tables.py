"""Tables of scores and labels, one row per image, breast, exam or patient: any CSV with a head.

The table may be *wide* (one score column per class) or *long* (one line per class, named in a column of its own).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.io.intake import Intake, RowGate, first_of
from mmmammo.io.score_rows import (
    Columns,
    Row,
    join_classes,
    of_one_split,
    parse_row,
    refuse_repeats,
    require_one_patient_per_exam,
)
from mmmammo.structures import MammoError

NO_PATIENTS = 'the table names neither patients nor exams: each row counts as a patient, so intervals may be too narrow'
NO_PATIENTS_BUT_EXAMS = 'the table names no patients: each exam counts as one'


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores beside labels.

    Args:
        ids: (n,) of the rows, each once.
        exam_ids: (n,) empty text where the table has none.
        patient_ids: (n,) never empty.
        lateralities: (n,) ``'L'``, ``'R'`` or ``'U'``.
        labels: (n, c) 0 or 1.
        scores: (n, c) in [0, 1].
        classes: (c,) names.
        attributes: Every other column, for subgroups: name -> (n,) text.
        split: Name of the split.
        level: What a row is: ``'image'``, ``'breast'``, ``'exam'`` or ``'patient'``.
        intakes: Of the file.
        notes: What a reader of the numbers has to know.
    """

    ids: tuple[str, ...]
    exam_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    lateralities: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    classes: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    split: str
    level: str
    intakes: tuple[Intake, ...]
    notes: tuple[str, ...] = field(default=())


def read_score_table(
    path: str | Path, columns: Columns | None = None, *, split: str | None = None, strict: bool = False
) -> ScoreTable:
    """Read a table.

    The rows are images if there is a column of images; else breasts if there are exams and sides, exams if there are
    exams, patients if there are patients.

    Args:
        path: CSV with a head; commas, semicolons or tabs.
        columns: Names of the columns.
        split: Only the rows of this split; the others are counted as left out. Needs a column of splits, if the table
            has several.
        strict: Stop at the first faulty row, instead of leaving it out and listing it.

    Raises:
        MammoError: If the file or a column is missing, a patient is in two splits, an exam is of two patients, the
            splits are mixed, or no row can be used.
    """
    head, lines = _read(Path(path))
    columns = (columns or Columns()).found_in(head)
    columns.require(path, head)
    gate = RowGate(path, 'rows', strict)
    rows = [row for row in (parse_row(line, number, columns, head, gate) for number, line in lines) if row is not None]
    chosen, left_out, split_name = of_one_split(rows, split, path)
    merged = join_classes(refuse_repeats(chosen, gate), gate)
    require_one_patient_per_exam(merged, path)
    intake = gate.close(sum(len(row.lines) for row in merged), left_out)
    return _table(merged, columns, head, split_name, intake)


def _read(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Head, and each line with its number (the head is line 1)."""
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            sample = file.read(4096)
            file.seek(0)
            delimiter = max(',;\t', key=sample.partition('\n')[0].count)
            reader = csv.reader(file, delimiter=delimiter)
            head = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, values) for values in reader if any(values)]
    except UnicodeDecodeError as err:
        raise MammoError(path, field='file', found=err, expected='a CSV in UTF-8', remedy='save it as UTF-8') from err
    except (OSError, csv.Error) as err:
        raise MammoError(path, field='file', found=err, expected='a CSV in UTF-8', remedy='check the path') from err
    repeated = sorted({name for name in head if head.count(name) > 1})
    if not head or not lines or repeated:
        found = f'columns twice: {first_of(repeated)}' if repeated else 'no rows below a head'
        raise MammoError(path, field='content', found=found, expected='a head and rows', remedy='correct the table')
    return head, [(number, _named(path, number, head, values)) for number, values in lines]


def _named(path: Path, number: int, head: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    if len(values) != len(head):
        raise MammoError(
            f'{path}, line {number}',
            field='cells',
            found=len(values),
            expected=f'{len(head)}, as the head has',
            remedy='put cells that hold the separator in quotes',
        )
    return dict(zip(head, (value.strip() for value in values), strict=True))


def _table(rows: Sequence[Row], columns: Columns, head: Sequence[str], split: str, intake: Intake) -> ScoreTable:
    classes = sorted(rows[0].values) if columns.class_column else columns.names
    notes: tuple[str, ...] = ()
    if columns.patient not in head:
        notes = (NO_PATIENTS_BUT_EXAMS if columns.exam in head else NO_PATIENTS,)
    attributes: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for name in (name for name in head if name not in columns.used):
            attributes[name].append(row.attributes[name])
    return ScoreTable(
        ids=tuple(row.key for row in rows),
        exam_ids=tuple(row.exam for row in rows),
        patient_ids=tuple(row.patient for row in rows),
        lateralities=tuple(row.laterality for row in rows),
        labels=np.array([[row.values[name][0] for name in classes] for row in rows], dtype=np.int64),
        scores=np.array([[row.values[name][1] for name in classes] for row in rows], dtype=np.float64),
        classes=tuple(classes),
        attributes={name: tuple(values) for name, values in attributes.items()},
        split=split,
        level=columns.level(head),
        intakes=(intake,),
        notes=notes,
    )
