"""The tables of INbreast: one row per image, in ``INbreast.csv`` and, with more columns, in ``INbreast.xls``.

The first wins where both are there; the second is then read for the columns that only it has. Its second sheet is not
looked into. Its last two rows, a blank one and totals, have no file name, and rows without one are none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.sources.listing import only_file
from mmmammo.sources.spreadsheets import read_spreadsheet
from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Laterality, MammoError, View

MARKS: Mapping[str, str] = {
    'Mass': 'mass',
    'Micros': 'calcification',
    'Distortion': 'distortion',
    'Asymmetry': 'asymmetry',
}
"""Columns of the spreadsheet with a cross, and the category they stand for."""
NORMAL = '1'

_CSV, _XLS, _SHEET = 'INbreast.csv', 'INbreast.xls', 'Sheet1'
_COLUMNS = ('Laterality', 'View', 'Acquisition date', 'File Name', 'ACR', 'Bi-Rads')
_UNUSED = (
    'Patient ID',
    'Patient age',
    'Findings Notes (in Portuguese)',
    'Other Notes',
    'Lesion Annotation Status',
    'Pectoral Muscle Annotation',
    'Other Annotations',
)
_SIDES = {'L': Laterality.LEFT, 'R': Laterality.RIGHT}
_VIEWS = {'CC': View.CC, 'MLO': View.MLO, 'ML': View.MLO, 'FB': View.FB}
_DENSITIES = {'1': 'A', '2': 'B', '3': 'C', '4': 'D'}
_CANCER = {NORMAL: 0, '2': 0, '3': 0, '4a': 1, '4b': 1, '4c': 1, '5': 1, '6': 1}
_CROSS = {'X': True, 'x': True}
_HALF_YEAR = re.compile(r'\d{4}0[12]')


@dataclass(frozen=True, eq=False)
class Tables:
    """What was read.

    Args:
        read: The tables, the one that wins first.
        rows: Its rows by file name.
        marks: Rows of the spreadsheet by file name; empty without one.
    """

    read: tuple[Table, ...]
    rows: Mapping[str, Row]
    marks: Mapping[str, Row]


@dataclass(frozen=True, eq=False)
class Description:
    """What the tables say about an image."""

    laterality: Laterality
    view: View
    labels: Mapping[str, Any]

    @property
    def is_normal(self) -> bool:
        """Whether nothing was found, so that there are no outlines."""
        return bool(self.labels['birads'] == NORMAL)


def read_tables(raw: Path, files: tuple[Path, ...]) -> Tables:
    """Read what there is of the two tables.

    Args:
        raw: The folder, for the complaint.
        files: Everything below it.

    Raises:
        MammoError: If there is neither, or one is not as published.
    """
    csv, xls = only_file(raw, files, _CSV), only_file(raw, files, _XLS)
    read = []
    if csv is not None:
        read.append(read_table(csv, _COLUMNS, _UNUSED[:2], delimiter=';'))
    if xls is not None:
        read.append(read_spreadsheet(xls, _COLUMNS, (*MARKS, *_UNUSED), sheet=_SHEET))
    if not read:
        expected, remedy = f'{_CSV} or {_XLS}', 'take it from the release, or point --raw at the whole of it'
        raise MammoError(raw, field='table', found='neither', expected=expected, remedy=remedy)
    return Tables(tuple(read), _by_name(read[0]), {} if xls is None else _by_name(read[-1]))


def describe(row: Row, marks: Row | None, with_cancer: bool) -> Description:
    """What the rows of one image say.

    Args:
        row: Of the table that wins.
        marks: Of the spreadsheet, if there is one.
        with_cancer: Whether BI-RADS makes a label ``cancer``: 0 up to 3, 1 from 4a.

    Raises:
        MammoError: If a cell has an unknown value.
    """
    cancer = row.choice('Bi-Rads', _CANCER)
    density = row.choice('ACR', _DENSITIES, None)
    labels: dict[str, Any] = {'birads': row.text('Bi-Rads')}
    if density is not None:
        labels |= {'density': density, 'density_source': row.text('ACR')}
    if with_cancer:
        labels['cancer'] = cancer
    if marks is not None:
        labels['findings'] = [name for column, name in MARKS.items() if marks.choice(column, _CROSS, False)]
    return Description(row.choice('Laterality', _SIDES), row.choice('View', _VIEWS), labels)


def half_year_of(row: Row) -> str:
    """The acquisition date, such as ``201001``: year and half of the year.

    Raises:
        MammoError: If it is none.
    """
    date = row.text('Acquisition date')
    if not _HALF_YEAR.fullmatch(date):
        raise row.error('Acquisition date', date, 'a year and 01 or 02, such as 201001')
    return date


def _by_name(table: Table) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in table.rows:
        name = row.text('File Name', None)
        if name is not None and rows.setdefault(name, row) is not row:
            raise row.error('File Name', name, f'a name that is not in row {rows[name].position} too')
    return rows
