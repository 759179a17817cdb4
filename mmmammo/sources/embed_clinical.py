"""What EMBED's clinical table says of a breast: one row per finding of an exam, one row of an exam without any.

A row speaks of the breast that ``side`` names, of both where it names both or none; its pathology of that which
``bside`` names. Of an exam of both breasts a breast without a row is negative, as the authors' own workflow has it.
Pathology was entered by hand, and often for the diagnostic exam only: the screening exam that led to it has none. So
pathology of the same breast, recorded with exams up to some days later, counts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Laterality, MammoError

REQUIRED = ('empi_anon', 'acc_anon', 'side', 'asses', 'tissueden', 'path_severity')
OPTIONAL = (
    'study_date_anon',
    'desc',
    'bside',
    'massshape',
    'massmargin',
    'massdens',
    'calcfind',
    'calcdistri',
    'calcnumber',
    'age_at_study',
    'RACE_DESC',
    'ETHNICITY_DESC',
    'ETHNIC_GROUP_DESC',
)

BIRADS = {'N': '1', 'B': '2', 'P': '3', 'A': '0', 'S': '4', 'M': '5', 'K': '6'}
"""Category by the letter of ``asses``, from the least to the most suspicious."""

_NO_ASSESSMENT = 'X'
_UNSUSPICIOUS = ('N', 'B')
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

LESION = CATEGORIES[-1]
SUSPICIOUS = ('0', '4', '5', '6')
"""BI-RADS categories of a breast in which something was seen."""

_ID = re.compile(r'(\d+)(?:\.0)?')
_BOTH = (Laterality.LEFT, Laterality.RIGHT)
_SIDES = {'L': (Laterality.LEFT,), 'R': (Laterality.RIGHT,), 'B': _BOTH}


@dataclass(frozen=True, eq=False)
class Clinical:
    """The table.

    Args:
        table: As it was read.
        of_exam: Rows by ``acc_anon``.
        of_patient: Rows by ``empi_anon``.
        odd: Rows that name no exam or patient.
    """

    table: Table
    of_exam: Mapping[str, list[Row]]
    of_patient: Mapping[str, list[Row]]
    odd: tuple[Row, ...]


def read_clinical(path: Path) -> Clinical:
    """Read the table.

    Raises:
        MammoError: If it is damaged, or no row names an exam and a patient.
    """
    table = read_table(path, REQUIRED, OPTIONAL, only_known=True)
    of_exam: dict[str, list[Row]] = {}
    of_patient: dict[str, list[Row]] = {}
    odd = []
    for row in table.rows:
        try:
            exam, patient = (identifier(row, column) for column in ('acc_anon', 'empi_anon'))
        except MammoError as err:
            odd.append(row)
            if len(odd) == len(table.rows):
                raise err
            continue
        of_exam.setdefault(exam, []).append(row)
        of_patient.setdefault(patient, []).append(row)
    return Clinical(table, of_exam, of_patient, tuple(odd))


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


def rows_of_breast(of_exam: Iterable[Row], side: Laterality) -> list[Row]:
    """The rows of an exam that speak of a breast.

    Args:
        of_exam: All of the exam.
        side: Which breast.

    Raises:
        MammoError: If one names an unknown side.
    """
    return [row for row in of_exam if side in row.choice('side', _SIDES, default=_BOTH)]


def labels_of_breast(of_exam: Sequence[Row], of_patient: Sequence[Row], side: Laterality, days: int) -> dict[str, Any]:
    """Labels of a breast in an exam; absent keys are unknown.

    ``cancer`` is 1 for invasive cancer and cancer in situ, 0 for any other pathology of the breast, and 0 without
    pathology where the assessment is negative or benign (BI-RADS 1, 2); any other assessment alone says nothing. A
    cancer of which neither ``bside`` nor ``side`` tells the breast leaves those unknown that are not told otherwise.

    Args:
        of_exam: All rows of the exam.
        of_patient: All of the woman, for later pathology.
        side: Which breast.
        days: How much later.

    Raises:
        MammoError: If a row holds an unknown value.
    """
    if not of_exam:
        return {}
    rows = rows_of_breast(of_exam, side)
    assessments = {letter for row in rows if (letter := _assessment(row))}
    if not rows and 'bilat' in of_exam[0].text('desc', '').lower():
        assessments = {'N'}
    worst = max(assessments, key=list(BIRADS).index, default=None)
    densities = {letter for row in of_exam if (letter := _density(row))}
    labels = {
        'birads': BIRADS[worst] if worst else None,
        'density': densities.pop() if len(densities) == 1 else None,
        **_outcome_of_breast(_rows_until(of_exam, of_patient, days), side, worst),
        **_of_woman(of_exam[0]),
    }
    return {name: value for name, value in labels.items() if value is not None}


def categories_of(rows: Iterable[Row]) -> list[str]:
    """Every category that rows of a breast describe, sorted; a suspicious row that describes nothing is a ``lesion``.

    Raises:
        MammoError: If a shape or an assessment is unknown.
    """
    found = set()
    for row in rows:
        described = _described(row)
        if not described and _assessment(row) not in (None, *_UNSUSPICIOUS):
            described = {LESION}
        found |= described
    return sorted(found)


def pathology_of(rows: Iterable[Row], side: Laterality) -> str | None:
    """What all rows of a breast agree on: ``'malignant'`` or ``'benign'``; ``None`` if one says nothing or another."""
    said = {row.choice('path_severity', _PATHOLOGY, None) if side in _of_pathology(row) else None for row in rows}
    return said.pop() if len(said) == 1 else None


def _described(row: Row) -> set[str]:
    shape = row.choice('massshape', _SHAPES, None)
    found = {shape} if shape else {'mass'} if row.has('massmargin') or row.has('massdens') else set()
    count = row.text('calcnumber', '0')
    if row.has('calcfind') or row.has('calcdistri') or count not in ('0', '0.0'):
        found.add('calcification')
    return found


def _assessment(row: Row) -> str | None:
    letter = row.choice('asses', {name: name for name in (*BIRADS, _NO_ASSESSMENT)}, None)
    return None if letter == _NO_ASSESSMENT else letter


def _density(row: Row) -> str | None:
    return row.choice('tissueden', _DENSITIES | dict.fromkeys(_MALE), None)


def _of_pathology(row: Row) -> tuple[Laterality, ...]:
    """The breasts whose pathology a row has; none where it does not say."""
    return row.choice('bside', _SIDES, None) or row.choice('side', _SIDES, ())


def _rows_until(of_exam: Sequence[Row], of_patient: Sequence[Row], days: int) -> list[Row]:
    """The rows of this exam and of those in the days after it."""
    first = _date(of_exam[0])
    rows = list(of_exam)
    for row in of_patient:
        later = _date(row) if first is not None else None
        if later is not None and 0 <= (later - first).days <= days:
            rows.append(row)
    return rows


def _outcome_of_breast(rows: Sequence[Row], side: Laterality, assessment: str | None) -> dict[str, int]:
    """What pathology and assessment say; a cancer of which no row tells the side leaves both breasts unknown."""
    outcome = _outcome(_severities(row for row in rows if side in _of_pathology(row)), assessment)
    elsewhere = _severities(row for row in rows if not _of_pathology(row))
    if outcome.get('cancer') == 0 and elsewhere & {*_CANCERS}:
        return {'biopsy': 1} if outcome['biopsy'] else {}
    return outcome


def _severities(rows: Iterable[Row]) -> set[int]:
    found = {row.choice('path_severity', _SEVERITIES, None) for row in rows}
    return {severity for severity in found if severity is not None}


def _outcome(severities: set[int], assessment: str | None) -> dict[str, int]:
    if severities & {*_CANCERS}:
        return {'cancer': 1, 'biopsy': 1, 'invasive': int(_INVASIVE in severities)}
    if _NOT_OF_THE_BREAST in severities:
        return {'biopsy': 1}
    if severities:
        return {'cancer': 0, 'biopsy': 1}
    return {'cancer': 0, 'biopsy': 0} if assessment in _UNSUSPICIOUS else {}


def _of_woman(row: Row) -> dict[str, Any]:
    """What every row of an exam repeats."""
    when, described = _date(row), row.text('desc', None)
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
