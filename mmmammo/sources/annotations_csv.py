"""``annotations.csv``: what a user knows about the images of a folder.

One row per finding; a row without a box says something about the whole image. All columns but ``file`` may be absent,
and all cells empty.

========================================= ============================================================
column                                    meaning
========================================= ============================================================
``file``                                  path relative to the folder; required
``category``                              ``mass``, ``calcification``, ``distortion``, ``asymmetry``
``x1``, ``y1``, ``x2``, ``y2``            box in pixels of the file
``lesion_id``                             the same for one lesion in every view
``pathology``                             ``malignant`` or ``benign``
``birads``                                of the finding
``laterality``, ``view``                  ``L`` or ``R``; ``CC``, ``MLO``, …; win over header and name
``exam_id``, ``patient_id``               win over what folders and headers say
``split``                                 ``train``, ``val`` or ``test``; the same for all of a patient
``cancer``, ``density``, ``implant``,     labels of the image or breast; numbers become numbers
``biopsy``, ``age``, ``breast_birads``
========================================= ============================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mmmammo.structures import Finding, Laterality, MammoError, View

FILE_NAME = 'annotations.csv'
_BOX = ('x1', 'y1', 'x2', 'y2')
_FINDING = ('category', *_BOX, 'lesion_id', 'pathology', 'birads')
_LABELS = {name: name for name in ('cancer', 'density', 'implant', 'biopsy', 'age')} | {'breast_birads': 'birads'}
_IMAGE = ('laterality', 'view', 'exam_id', 'patient_id', 'split', *_LABELS)
_COLUMNS = ('file', *_FINDING, *_IMAGE)
_VOCABULARIES = {
    'pathology': ('malignant', 'benign'),
    'split': ('train', 'val', 'test'),
    'laterality': (Laterality.LEFT.value, Laterality.RIGHT.value),
    'view': tuple(view.value for view in View if view is not View.UNKNOWN),
}
Row = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class ImageAnnotation:
    """What the table says about one file; ``None`` where it is silent."""

    findings: tuple[Finding, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    laterality: Laterality | None = None
    view: View | None = None
    exam_id: str | None = None
    patient_id: str | None = None
    split: str | None = None


def read_annotations(path: Path, files: Collection[str], categories: Sequence[str]) -> dict[str, ImageAnnotation]:
    """Read the table; empty if there is none.

    Args:
        path: The CSV file.
        files: The images of the folder, as the column ``file`` names them.
        categories: Allowed values of ``category``.

    Returns:
        By file.

    Raises:
        MammoError: Naming the row, for an unknown column or value, a file that is not there, half a box, or rows that
            contradict each other about an image.
    """
    if not path.is_file():
        return {}
    vocabularies = {**_VOCABULARIES, 'category': tuple(categories)}
    rows: dict[str, list[tuple[int, Row]]] = {}
    for number, values in enumerate(_load(path).to_dict('records'), start=2):
        row = {str(key): value.strip() for key, value in values.items() if value.strip()}
        _check_row(path, number, row, files, vocabularies)
        rows.setdefault(row['file'], []).append((number, row))
    return {file: _annotation(path, numbered) for file, numbered in rows.items()}


def _load(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise _error(path, 'content', err, 'a comma-separated table in UTF-8 with a header', 'save it so') from err
    table.columns = table.columns.str.strip()
    unknown = sorted(set(table.columns) - set(_COLUMNS))
    if unknown or 'file' not in table.columns:
        found = f'unknown {", ".join(unknown)}' if unknown else 'no column `file`'
        raise _error(path, 'columns', found, f'only {", ".join(_COLUMNS)}', 'rename or drop them')
    return table


def _check_row(
    path: Path, number: int, row: Row, files: Collection[str], vocabularies: Mapping[str, Sequence[str]]
) -> None:
    if row.get('file') not in files:
        found = row.get('file', 'nothing')
        raise _error(path, f'row {number}, file', found, 'an image of this folder', 'correct the path or drop the row')
    for column, allowed in vocabularies.items():
        if column in row and row[column] not in allowed:
            raise _error(path, f'row {number}, {column}', row[column], f'one of {", ".join(allowed)}', 'correct it')
    given = [column for column in _FINDING if column in row]
    absent = [column for column in ('category', *_BOX) if column not in row]
    if given and absent:
        raise _error(
            path,
            f'row {number}, {", ".join(absent)}',
            'nothing',
            f'category, x1, y1, x2 and y2, because there is {given[0]}',
            'complete the finding, or empty its cells',
        )


def _annotation(path: Path, rows: Sequence[tuple[int, Row]]) -> ImageAnnotation:
    """All rows of one image."""
    said: dict[str, str] = {}
    for number, row in rows:
        for column in _IMAGE:
            if column in row and said.setdefault(column, row[column]) != row[column]:
                expected = f'{said[column]}, as an earlier row of {row["file"]} says'
                raise _error(path, f'row {number}, {column}', row[column], expected, 'correct one of them')
    return ImageAnnotation(
        findings=tuple(_finding(path, number, row) for number, row in rows if 'category' in row),
        labels={name: _number(said[column]) for column, name in _LABELS.items() if column in said},
        laterality=Laterality(said['laterality']) if 'laterality' in said else None,
        view=View(said['view']) if 'view' in said else None,
        exam_id=said.get('exam_id'),
        patient_id=said.get('patient_id'),
        split=said.get('split'),
    )


def _finding(path: Path, number: int, row: Row) -> Finding:
    try:
        x1, y1, x2, y2 = (float(row[column]) for column in _BOX)
    except ValueError as err:
        raise _error(path, f'row {number}, box', err, 'four numbers', 'correct the row') from err
    return Finding(
        bbox=(x1, y1, x2, y2),
        category=row['category'],
        lesion_id=row.get('lesion_id'),
        pathology=row.get('pathology'),
        birads=row.get('birads'),
    )


def _number(text: str) -> int | float | str:
    """A label as the number it is, else as it is written."""
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if value == value and abs(value) != float('inf') else text
    return text


def _error(path: Path, field_name: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(path, field=field_name, found=found, expected=expected, remedy=remedy)
