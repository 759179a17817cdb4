"""``cohort.csv``: the images of a screening programme, what became of the women, and how the readers scored.

One row per image. An empty cell says nothing; what one row says of a breast, an exam or a woman holds for all of their
rows. Any other column, any other value and any contradiction is an error that names its row.

==================== ======= ==========================================================================================
column               of      meaning
==================== ======= ==========================================================================================
``file``             image   path below the folder, with ``/``; required
``exam_id``          image   required
``patient_id``       exam    required; a pseudonym, splits and folds go by it
``laterality``       image   ``L`` or ``R``; else as the file says
``view``             image   ``CC``, ``MLO``, …; else as the file says
``outcome``          breast  ``screening``: cancer, diagnosed as a result of this exam; ``interval``: cancer, diagnosed
                             before the next one; ``none``, or ``normal``
``exam_outcome``     exam    the same of the exam, where the side is not known; else it follows from the breasts
``reader1, reader2`` breast  suspicion, as the first and the second reader scored it: a number from 0 up
``age``              exam    years
``date``             exam    ``2012``, ``2012-05`` or ``2012-05-31``
``split``            patient ``train``, ``val`` or ``test``
``fold``             patient 0, 1, 2, … of a cross-validation
==================== ======= ==========================================================================================

Every breast needs an outcome, or its exam one. In an exam without cancer every breast is without; in one with cancer a
breast without outcome is not known to have it or not, and has no label ``cancer``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Laterality, MammoError, View

FILE_NAME = 'cohort.csv'
OUTCOMES: tuple[str, ...] = ('none', 'interval', 'screening')
"""The later one is that of an exam whose breasts have both."""

_REQUIRED = ('file', 'exam_id', 'patient_id')
_OF_BREAST = ('outcome', 'reader1', 'reader2')
_OF_EXAM = ('patient_id', 'exam_outcome', 'age', 'date')
_OF_PATIENT = ('split', 'fold')
_OPTIONAL = ('laterality', 'view', *_OF_BREAST, *_OF_EXAM[1:], *_OF_PATIENT)
_ALL = (*_REQUIRED, *_OPTIONAL)
_LABELS = ('outcome', 'exam_outcome', 'reader1', 'reader2', 'age', 'date', 'fold')
_SIDES = {side.value: side for side in (Laterality.LEFT, Laterality.RIGHT)}
_VIEWS = {view.value: view for view in View if view is not View.UNKNOWN}
_OUTCOMES = {name: name for name in OUTCOMES} | {'normal': 'none'}
_SPLITS = {name: name for name in ('train', 'val', 'test')}
_DATE = re.compile(r'\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?')
_YOUNGEST, _OLDEST = 15, 130
Said = Mapping[str, Any]
Place = tuple[Hashable, str]


@dataclass(frozen=True, eq=False)
class CohortImage:
    """What the table says about one image.

    Args:
        position: Of its row.
        file: Relative to the folder.
        labels: ``outcome`` and ``cancer`` (0 or 1) of the breast, ``exam_outcome``, ``reader1``, ``reader2``, ``age``,
            ``date``, ``fold``; absent keys are unknown.
        split: ``None`` if it names none.
    """

    position: int
    file: str
    exam_id: str
    patient_id: str
    laterality: Laterality
    view: View
    labels: Mapping[str, Any]
    split: str | None


def read_cohort(path: Path) -> list[CohortImage]:
    """Read the table.

    Raises:
        MammoError: For an unknown column, an unknown value, a path out of the folder, a file that has two rows, rows
            that contradict each other, or a breast without outcome. It tells the first error and how many more rows
            have one.
    """
    try:
        table = read_table(path, _REQUIRED, _OPTIONAL)
    except MammoError as err:
        raise _error(path, err.field, err.found, err.expected) from err
    _check_columns(table)
    rows, errors = [], []
    for row in table.rows:
        try:
            rows.append((row, _values(row)))
        except MammoError as err:
            errors.append(err)
    _raise_first(errors)
    errors += _repeated(rows)
    said = _merged(rows, errors)
    _raise_first(errors)
    worst = _exam_outcomes(rows, said, errors)
    _raise_first(errors)
    return [_image(row, values, said, worst[values['exam_id']]) for row, values in rows]


def _check_columns(table: Table) -> None:
    if table.extra:
        raise _error(table.path, 'columns', f'unknown {", ".join(table.extra)}', f'only {", ".join(_ALL)}')
    if not {'outcome', 'exam_outcome'} & set(table.columns):
        raise _error(table.path, 'columns', f'only {", ".join(table.columns)}', 'outcome, or exam_outcome')
    if not table.rows:
        raise _error(table.path, 'rows', 'none', 'one for every image')


def _values(row: Row) -> dict[str, Any]:
    """The cells of a row, without the empty ones."""
    values = {
        'file': _file(row),
        'exam_id': row.text('exam_id'),
        'patient_id': row.text('patient_id'),
        'laterality': row.choice('laterality', _SIDES, None),
        'view': row.choice('view', _VIEWS, None),
        'outcome': row.choice('outcome', _OUTCOMES, None),
        'exam_outcome': row.choice('exam_outcome', _OUTCOMES, None),
        'reader1': _at_least_0(row, 'reader1', row.number('reader1', None)),
        'reader2': _at_least_0(row, 'reader2', row.number('reader2', None)),
        'age': _age(row),
        'date': _date(row),
        'split': row.choice('split', _SPLITS, None),
        'fold': _at_least_0(row, 'fold', row.integer('fold', None)),
    }
    return {column: value for column, value in values.items() if value is not None}


def _file(row: Row) -> str:
    """A path that cannot lead out of the folder by its words; links are judged where it is opened."""
    text = row.text('file')
    parts = text.split('/')
    if PurePosixPath(text).is_absolute() or '\\' in text or any(part in ('', '.', '..') for part in parts):
        raise row.error('file', text, 'a path below the folder, such as exam1/L_CC.dcm')
    return text


def _at_least_0(row: Row, column: str, value: float | None) -> float | None:
    if value is not None and value < 0:
        raise row.error(column, row.text(column), 'a number from 0 up')
    return value


def _age(row: Row) -> float | None:
    value = row.number('age', None)
    if value is not None and not _YOUNGEST <= value < _OLDEST:
        expected = f'years from {_YOUNGEST} to {_OLDEST}; codes of groups of ages belong into another column'
        raise row.error('age', row.text('age'), expected)
    return value


def _date(row: Row) -> str | None:
    text = row.text('date', None)
    if text is not None and not _DATE.fullmatch(text):
        raise row.error('date', text, 'a date such as 2012, 2012-05 or 2012-05-31')
    return text


def _repeated(rows: Sequence[tuple[Row, Said]]) -> list[MammoError]:
    first: dict[str, int] = {}
    errors = []
    for row, values in rows:
        if first.setdefault(values['file'], row.position) != row.position:
            expected = f'a file that is not in row {first[values["file"]]} too'
            errors.append(row.error('file', values['file'], expected))
    return errors


def _merged(rows: Sequence[tuple[Row, Said]], errors: list[MammoError]) -> dict[Place, Any]:
    """What all rows say of breasts, exams and patients; contradictions are appended to the errors."""
    said: dict[Place, tuple[Any, int]] = {}
    for row, values in rows:
        for place, column in _places(values):
            if column not in values:
                continue
            value, position = said.setdefault((place, column), (values[column], row.position))
            if value != values[column]:
                expected = f'{value}, as row {position} says of the same {place[0]}'
                errors.append(row.error(column, values[column], expected))
    return {key: value for key, (value, _) in said.items()}


def _places(values: Said) -> list[tuple[tuple[str, ...], str]]:
    """Of what each column speaks; an image of unknown side is a breast of its own here."""
    exam, patient = values['exam_id'], values['patient_id']
    breast = ('breast', exam, values.get('laterality', values['file']))
    return [
        *((breast, column) for column in _OF_BREAST),
        *((('exam', exam), column) for column in _OF_EXAM),
        *((('patient', patient), column) for column in _OF_PATIENT),
    ]


def _exam_outcomes(
    rows: Sequence[tuple[Row, Said]], said: Mapping[Place, Any], errors: list[MammoError]
) -> dict[str, str]:
    """By exam: what is said of it, else the worst of its breasts; gaps and contradictions go to the errors."""
    worst: dict[str, str] = {}
    for row, values in rows:
        exam = values['exam_id']
        of_breast = _of(values, said).get('outcome')
        of_exam = said.get((('exam', exam), 'exam_outcome'))
        if of_breast is None and of_exam is None:
            errors.append(row.error('outcome', 'nothing', 'one, or exam_outcome'))
        elif of_exam is not None and of_breast is not None and OUTCOMES.index(of_breast) > OUTCOMES.index(of_exam):
            expected = f'no more than the exam_outcome, {of_exam}'
            errors.append(row.error('outcome', of_breast, expected))
        known = [outcome for outcome in (of_exam, of_breast, worst.get(exam)) if outcome is not None]
        worst[exam] = max(known, key=OUTCOMES.index, default=OUTCOMES[0])
    errors += _unexplained(rows, said, worst)
    return worst


def _unexplained(
    rows: Sequence[tuple[Row, Said]], said: Mapping[Place, Any], worst: Mapping[str, str]
) -> Iterator[MammoError]:
    """Exams of which more is said than of either breast, though both breasts are judged."""
    judged: dict[str, dict[Laterality, str]] = {}
    last: dict[str, Row] = {}
    for row, values in rows:
        outcome, side = _of(values, said).get('outcome'), values.get('laterality')
        last[values['exam_id']] = row
        if outcome is not None and side is not None:
            judged.setdefault(values['exam_id'], {})[side] = outcome
    for exam, outcomes in judged.items():
        if len(outcomes) == 2 and worst[exam] not in outcomes.values():
            expected = f'{worst[exam]} of one of them, as the exam_outcome is, or no outcome of the one not known'
            yield last[exam].error('outcome', ' and '.join(outcomes.values()) + ' of the two breasts', expected)


def _of(values: Said, said: Mapping[Place, Any]) -> dict[str, Any]:
    """What the whole table says of an image."""
    return {column: said[place, column] for place, column in _places(values) if (place, column) in said}


def _image(row: Row, values: Said, said: Mapping[Place, Any], exam_outcome: str) -> CohortImage:
    known = _of(values, said) | {'exam_outcome': exam_outcome}
    if exam_outcome == 'none':
        known['outcome'] = 'none'
    labels = {name: known[name] for name in _LABELS if name in known}
    if 'outcome' in labels:
        labels['cancer'] = int(labels['outcome'] != 'none')
    return CohortImage(
        row.position,
        values['file'],
        values['exam_id'],
        values['patient_id'],
        values.get('laterality', Laterality.UNKNOWN),
        values.get('view', View.UNKNOWN),
        labels,
        known.get('split'),
    )


def _raise_first(errors: Sequence[MammoError]) -> None:
    """Complain about the first of them, and say how much there is to do."""
    if not errors:
        return
    first, others = errors[0], len(errors) - 1
    found = f'{first.found} (and {others} more rows with an error)' if others else first.found
    raise _error(first.where, first.field, found, first.expected)


def _error(path: str | Path, field: str, found: object, expected: str) -> MammoError:
    remedy = 'correct the table; docs/prepared_sets.md describes it'
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
