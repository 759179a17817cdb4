"""One row of a table of scores: its columns, its checks, and what contradicts it."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmmammo.io.intake import RowGate, first_of
from mmmammo.io.score_files import LABEL, SCORE
from mmmammo.structures import Laterality, MammoError

_DECIMAL_COMMA = re.compile(r'\d+,\d+')
_LABELS = {'0': 0, '1': 1, '0.0': 0, '1.0': 1, 'false': 0, 'true': 1}


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are called. Of the ids, those that the table lacks are done without.

    Args:
        image: Image id.
        exam: Exam id.
        patient: Patient id; intervals resample patients.
        laterality: ``L`` or ``R``.
        split: Name of the row's split.
        labels: 0 or 1, one column per class.
        scores: In [0, 1], one column per class, in the order of the labels; a class is called by its score column.
        class_column: For long tables, the column with the name of the class; then there is one label and one score.
        classes: What the classes of a wide table are called; by default as their score columns.
    """

    image: str = 'image_id'
    exam: str = 'exam_id'
    patient: str = 'patient_id'
    laterality: str = 'laterality'
    split: str = 'split'
    labels: tuple[str, ...] = (LABEL,)
    scores: tuple[str, ...] = (SCORE,)
    class_column: str | None = None
    classes: tuple[str, ...] = ()

    def found_in(self, head: Sequence[str]) -> Columns:
        """The same, or, where a table has no ``label`` and ``score``, its ``label_<class>`` and ``score_<class>``."""
        default = (self.labels, self.scores) == ((LABEL,), (SCORE,)) and self.class_column is None
        if not default or LABEL in head or SCORE in head:
            return self
        names = [name.removeprefix(f'{SCORE}_') for name in head if name.startswith(f'{SCORE}_')]
        classes = tuple(name for name in names if f'{LABEL}_{name}' in head)
        if not classes:
            return self
        labels, scores = (tuple(f'{kind}_{name}' for name in classes) for kind in (LABEL, SCORE))
        return replace(self, labels=labels, scores=scores, classes=classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes of a wide table."""
        return self.classes or self.scores

    @property
    def used(self) -> set[str]:
        """All columns that are no attributes."""
        ids = {self.image, self.exam, self.patient, self.split}
        return ids | {*self.labels, *self.scores} | ({self.class_column} if self.class_column else set())

    def level(self, head: Sequence[str]) -> str:
        """What a row of this table is."""
        if self.image in head:
            return 'image'
        if self.exam in head:
            return 'breast' if self.laterality in head else 'exam'
        return 'patient'

    def require(self, path: str | Path, head: Sequence[str]) -> None:
        """Refuse a table without scores, labels or any id.

        Raises:
            MammoError: Naming what is missing and what there is.
        """
        needed = [*self.labels, *self.scores, *([self.class_column] if self.class_column else [])]
        missing = [name for name in needed if name not in head]
        if not {self.image, self.exam, self.patient} & set(head):
            missing.append(f'{self.image}, {self.exam} or {self.patient}')
        if missing:
            raise MammoError(
                path,
                field='columns',
                found=first_of(head, 30),
                expected=f'also {"; ".join(missing)}',
                remedy='name the columns by arguments, e.g. --label cancer --score prob',
            )
        long = self.class_column is not None
        paired = len(self.labels) == len(self.scores) and not (long and len(self.labels) > 1)
        if not paired or len(set(self.scores)) < len(self.scores):
            expected = (
                'one label and one score in a long table' if long else 'a label and a score per class, named once'
            )
            found = f'labels {first_of(self.labels, 10)}; scores {first_of(self.scores, 10)}'
            raise MammoError(path, field='columns', found=found, expected=expected, remedy='name them in pairs')


@dataclass(frozen=True)
class Row:
    """A row that can be used.

    Args:
        key: What the row is about; unique in a table.
        exam: Empty where the table has none.
        patient: Never empty.
        laterality: ``'L'``, ``'R'`` or ``'U'``.
        split: Empty where the table has none.
        values: Class -> (label, score).
        attributes: Every column.
        lines: Numbers of its lines; several after the lines of a long table are joined.
    """

    key: str
    exam: str
    patient: str
    laterality: str
    split: str
    values: Mapping[str, tuple[int, float]]
    attributes: Mapping[str, str]
    lines: tuple[int, ...]


def parse_row(line: Mapping[str, str], number: int, columns: Columns, head: Sequence[str], gate: RowGate) -> Row | None:
    """One line, or ``None`` if it is refused."""
    try:
        values = {
            line[columns.class_column] if columns.class_column else name: (
                _label(line[label], label),
                _score(line[score], score),
            )
            for name, label, score in zip(columns.names, columns.labels, columns.scores, strict=True)
        }
        image, exam, patient = (_id(line, name, head) for name in (columns.image, columns.exam, columns.patient))
        side = _side(line, columns, head)
    except MammoError as err:
        gate.refuse(number, f'line {number}', err)
        return None
    key = image or (f'{exam}_{side}' if exam and columns.laterality in head else exam) or patient
    split = line.get(columns.split, '')
    return Row(key, exam, patient or exam or key, side, split, values, line, (number,))


def of_one_split(rows: Sequence[Row], split: str | None, path: str | Path) -> tuple[list[Row], int, str]:
    """The rows of the split, how many others there are, and its name.

    Raises:
        MammoError: If a patient is in two splits, or the table has several and none or an unknown one was asked for.
    """
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        splits[row.patient].add(row.split)
    shared = sorted(patient for patient, names in splits.items() if len(names) > 1)
    names = sorted({row.split for row in rows})
    problem = None
    if shared:
        problem = f'{first_of(shared)} in {first_of(sorted(splits[shared[0]]))}', 'no patient in two splits'
    elif split is None and len(names) > 1:
        problem = first_of(names, 10), 'one split, or --split to say which'
    elif split is not None and any(names) and split not in names:
        problem = first_of(names, 10), repr(split)
    if problem:
        remedy = 'splits are by patient: correct the table' if shared else 'name a split that the table has'
        raise MammoError(path, field='split', found=problem[0], expected=problem[1], remedy=remedy)
    chosen = [row for row in rows if split is None or not any(names) or row.split == split]
    return chosen, len(rows) - len(chosen), split or (names[0] if names and names[0] else Path(path).stem)


def refuse_repeats(rows: Sequence[Row], gate: RowGate) -> list[Row]:
    """Rows without those whose id (and, in a long table, class) occurs twice.

    A plain repeat is refused. If the repeats differ, nobody knows which is right, and all are refused.
    """
    by_key: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        by_key[(row.key, *sorted(row.values))].append(row)
    kept = []
    for same in by_key.values():
        alike = all(row.values == same[0].values for row in same)
        wrong = same[1:] if alike else same
        for row in wrong:
            _refuse(gate, row, 'id', _repeat(row, same, alike), 'each id once')
        if alike:
            kept.append(same[0])
    return kept


def require_one_patient_per_exam(rows: Sequence[Row], path: str | Path) -> None:
    """Intervals draw patients, and exams go with theirs.

    Raises:
        MammoError: If the rows of an exam name several patients.
    """
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.exam, row) if row.exam else row
        if other.patient != row.patient:
            raise MammoError(
                f'{path}, line {row.lines[0]}',
                field='patient',
                found=f'{row.patient!r}, but {other.patient!r} in line {other.lines[0]} of exam {row.exam!r}',
                expected='one patient per exam',
                remedy='correct the table; give exams of different patients different ids',
            )


def join_classes(rows: Sequence[Row], gate: RowGate) -> list[Row]:
    """The lines of a long table joined by id; an id that lacks a class is refused."""
    classes = {name for row in rows for name in row.values}
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    joined = []
    for key, parts in by_key.items():
        values = {name: value for row in parts for name, value in row.values.items()}
        missing = sorted(classes - set(values))
        for row in parts if missing else ():
            found = f'{key!r} without a good line for {first_of(missing)}'
            _refuse(gate, row, 'class', found, 'every class of every id')
        if not missing:
            joined.append(replace(parts[0], values=values, lines=tuple(row.lines[0] for row in parts)))
    return joined


def _repeat(row: Row, same: Sequence[Row], alike: bool) -> str:
    others = first_of([f'line {other.lines[0]}' for other in same if other is not row])
    return f'{row.key!r}, also in {others}' + ('' if alike else ' with another label or score')


def _refuse(gate: RowGate, row: Row, field: str, found: str, expected: str) -> None:
    error = MammoError('row', field=field, found=found, expected=expected, remedy='correct the table')
    gate.refuse(row.lines[0], f'line {row.lines[0]}', error)


def _id(line: Mapping[str, str], name: str, head: Sequence[str]) -> str:
    if name in head and not line[name]:
        raise _fault(name, 'nothing', 'an id', 'complete it, or leave the column out')
    return line.get(name, '')


def _side(line: Mapping[str, str], columns: Columns, head: Sequence[str]) -> str:
    side = Laterality.parse(line.get(columns.laterality))
    if columns.level(head) == 'breast' and side is Laterality.UNKNOWN:
        raise _fault(columns.laterality, repr(line[columns.laterality]), 'L or R', 'complete it; it is not guessed')
    return side.value


def _label(text: str, name: str) -> int:
    if text.lower() not in _LABELS:
        raise _fault(name, repr(text), '0 or 1', 'leave out rows whose label is not known')
    return _LABELS[text.lower()]


def _score(text: str, name: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        remedy = 'look for nan in the model; give probabilities, not logits or per cent'
        if _DECIMAL_COMMA.fullmatch(text.strip()):
            remedy = 'save the table with points in numbers, not commas'
        raise _fault(name, repr(text), 'a number in [0, 1]', remedy)
    return score


def _fault(field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError('row', field=field, found=found, expected=expected, remedy=remedy)
