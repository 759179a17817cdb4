"""What EMBED's clinical table says of a breast: one row per finding of an exam, one row of an exam without any.

A row speaks of the breast that ``side`` names, of both where it names both or none. Its pathology was entered by hand,
and often for the diagnostic exam only: the screening exam that led to it has none. So pathology of the same breast,
recorded with exams up to some days later, counts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Laterality

REQUIRED = ('empi_anon', 'acc_anon', 'side', 'asses', 'tissueden', 'path_severity')
OPTIONAL = (
    'study_date_anon',
    'desc',
    'bside',
    'massshape',
    'calcfind',
    'calcdistri',
    'age_at_study',
    'RACE_DESC',
    'ETHNICITY_DESC',
    'ETHNIC_GROUP_DESC',
)

BIRADS = {'N': '1', 'B': '2', 'P': '3', 'A': '0', 'S': '4', 'M': '5', 'K': '6'}
"""Category by the letter of ``asses``, from the least to the most suspicious."""

_NO_ASSESSMENT = 'X'
_DENSITIES = {f'{n}{end}': letter for n, letter in enumerate('ABCD', start=1) for end in ('', '.0')}
_MALE = ('5', '5.0')
_SEVERITIES = {f'{n}{end}': n for n in range(7) for end in ('', '.0')}
_CANCERS = (0, 1)
_INVASIVE = 0
_NOT_OF_THE_BREAST = 6
_PATHOLOGY = {
    text: None if n == _NOT_OF_THE_BREAST else 'malignant' if n in _CANCERS else 'benign'
    for text, n in _SEVERITIES.items()
}
_MASS_SHAPES = {
    'mass': 'GROXDL',
    'lymph_node': 'NY',
    'distortion': 'QA',
    'global_asymmetry': 'B',
    'focal_asymmetry': 'F',
    'asymmetry': 'SVT',
}
_SHAPES = {letter: category for category, letters in _MASS_SHAPES.items() for letter in letters}
CATEGORIES: tuple[str, ...] = (*_MASS_SHAPES, 'calcification', 'lesion')
"""The last one is a box of which the table does not tell what it is."""

_ID = re.compile(r'(\d+)(?:\.0)?')
_BOTH = (Laterality.LEFT, Laterality.RIGHT)
_SIDES = {'L': (Laterality.LEFT,), 'R': (Laterality.RIGHT,), 'B': _BOTH}


def read_clinical(path: Path) -> tuple[Table, dict[str, list[Row]]]:
    """The table, and its rows by patient.

    Raises:
        MammoError: If it is damaged, or a row names no patient or exam.
    """
    table = read_table(path, REQUIRED, OPTIONAL, only_known=True)
    by_patient: dict[str, list[Row]] = {}
    for row in table.rows:
        identifier(row, 'acc_anon')
        by_patient.setdefault(identifier(row, 'empi_anon'), []).append(row)
    return table, by_patient


def identifier(row: Row, column: str) -> str:
    """A number that is a name; a decimal point, as spreadsheets add it, is none of it.

    Raises:
        MammoError: If it is no whole number written out.
    """
    text = row.text(column)
    match = _ID.fullmatch(text)
    if match is None:
        raise row.error(column, text, 'a number, with all of its digits')
    return match[1]


def rows_of_breast(rows: Iterable[Row], exam: str, side: Laterality) -> list[Row]:
    """The rows of an exam that speak of a breast.

    Args:
        rows: Of the patient.
        exam: ``acc_anon``.
        side: Which breast.

    Raises:
        MammoError: If one names an unknown side.
    """
    return [
        row for row in rows if identifier(row, 'acc_anon') == exam and side in row.choice('side', _SIDES, default=_BOTH)
    ]


def labels_of_breast(rows: Sequence[Row], of_patient: Sequence[Row], side: Laterality, days: int) -> dict[str, Any]:
    """Labels of a breast in an exam; absent keys are unknown.

    ``cancer`` is 1 for invasive cancer and cancer in situ, 0 for any other pathology of the breast, and 0 without
    pathology where the assessment is negative or benign (BI-RADS 1, 2); any other assessment alone says nothing.

    Args:
        rows: Of the breast in the exam, see :func:`rows_of_breast`.
        of_patient: All of the woman, for later pathology.
        side: Which breast.
        days: How much later.

    Raises:
        MammoError: If a row holds an unknown value.
    """
    assessments = {letter for row in rows if (letter := _assessment(row))}
    worst = max(assessments, key=list(BIRADS).index, default=None)
    densities = {letter for row in rows if (letter := _density(row))}
    labels = {
        'birads': BIRADS[worst] if worst else None,
        'density': densities.pop() if len(densities) == 1 else None,
        **_outcome(_severities(rows, of_patient, side, days), worst),
        **_of_woman(rows),
    }
    return {name: value for name, value in labels.items() if value is not None}


def categories_of(rows: Iterable[Row]) -> list[str]:
    """Every category that rows describe, sorted.

    Raises:
        MammoError: If a shape is unknown.
    """
    found = {category for row in rows if (category := row.choice('massshape', _SHAPES, None))}
    if any(row.has('calcfind') or row.has('calcdistri') for row in rows):
        found.add('calcification')
    return sorted(found)


def pathology_of(rows: Iterable[Row]) -> str | None:
    """What all rows agree on: ``'malignant'``, ``'benign'``, or ``None`` where one says another thing or nothing."""
    said = {row.choice('path_severity', _PATHOLOGY, None) for row in rows}
    return said.pop() if len(said) == 1 else None


def _assessment(row: Row) -> str | None:
    letter = row.choice('asses', {name: name for name in (*BIRADS, _NO_ASSESSMENT)}, None)
    return None if letter == _NO_ASSESSMENT else letter


def _density(row: Row) -> str | None:
    return row.choice('tissueden', _DENSITIES | dict.fromkeys(_MALE), None)


def _severities(rows: Sequence[Row], of_patient: Sequence[Row], side: Laterality, days: int) -> set[int]:
    """Pathology of the breast, of this exam and of those in the days after it."""
    if not rows:
        return set()
    exam, first = identifier(rows[0], 'acc_anon'), _date(rows[0])
    found = set()
    for row in of_patient:
        same, later = identifier(row, 'acc_anon') == exam, _date(row)
        soon = first is not None and later is not None and 0 <= (later - first).days <= days
        told = row.choice('bside', _SIDES, None) or row.choice('side', _SIDES, ())
        if (same or soon) and side in told:
            found.add(row.choice('path_severity', _SEVERITIES, None))
    return {severity for severity in found if severity is not None}


def _outcome(severities: set[int], assessment: str | None) -> dict[str, int]:
    if severities & {*_CANCERS}:
        return {'cancer': 1, 'biopsy': 1, 'invasive': int(_INVASIVE in severities)}
    if _NOT_OF_THE_BREAST in severities:
        return {'biopsy': 1}
    if severities:
        return {'cancer': 0, 'biopsy': 1}
    return {'cancer': 0, 'biopsy': 0} if assessment in ('N', 'B') else {}


def _of_woman(rows: Sequence[Row]) -> dict[str, Any]:
    """What every row of an exam repeats."""
    if not rows:
        return {}
    row, when = rows[0], _date(rows[0])
    described = row.text('desc', None)
    return {
        'screening': None if described is None else int('screen' in described.lower()),
        'date': None if when is None else when.isoformat(),
        'age': row.number('age_at_study', None),
        'race': row.text('RACE_DESC', None) or row.text('ETHNICITY_DESC', None),
        'ethnicity': row.text('ETHNIC_GROUP_DESC', None),
    }


def _date(row: Row) -> date | None:
    text = row.text('study_date_anon', None)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as err:
        raise row.error('study_date_anon', text, 'a date such as 2014-09-30') from err
