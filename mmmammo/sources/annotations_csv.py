"""``annotations.csv``: what a user knows about the images of a folder.

One row per finding; a row without a box says something about the whole image.

=================================== ==================================================================
column                              meaning
=================================== ==================================================================
``file``                            path relative to the folder; required
``category``                        ``mass``, ``calcification``, ``distortion``, ``asymmetry``
``x1, y1, x2, y2``                  box in pixels of the file
``lesion_id``                       the same for one lesion in every view
``pathology``                       ``malignant`` or ``benign``
``birads``                          of the finding
``split``                           ``train``, ``val`` or ``test``
``cancer, density, implant, biopsy, labels of the image or breast, kept as they are written
age, breast_birads``
=================================== ==================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mmmammo.structures import Finding, MammoError

FILE_NAME = 'annotations.csv'
_BOX = ('x1', 'y1', 'x2', 'y2')
_LABELS = ('cancer', 'density', 'implant', 'biopsy', 'age', 'breast_birads')
_COLUMNS = ('file', 'category', *_BOX, 'lesion_id', 'pathology', 'birads', 'split', *_LABELS)
_VOCABULARIES = {'pathology': ('malignant', 'benign'), 'split': ('train', 'val', 'test')}


@dataclass(frozen=True, eq=False)
class ImageAnnotation:
    """What the table says about one file."""

    findings: tuple[Finding, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
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
        MammoError: Naming the row, for an unknown column or value, a file that is not there, or half a box.
    """
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise _error(path, 'content', err, 'a comma-separated table with a header', 'save it again as CSV') from err
    unknown = sorted(set(table.columns) - set(_COLUMNS))
    if unknown or 'file' not in table.columns:
        found = f'unknown {unknown}' if unknown else 'no column `file`'
        raise _error(path, 'columns', found, f'only {", ".join(_COLUMNS)}', 'rename or drop them')
    vocabularies = {**_VOCABULARIES, 'category': tuple(categories)}
    result: dict[str, ImageAnnotation] = {}
    for number, values in enumerate(table.to_dict('records'), start=2):
        row = {str(key): value.strip() for key, value in values.items() if value.strip()}
        _check_row(path, number, row, files, vocabularies)
        result[row['file']] = _merged(path, number, result.get(row['file'], ImageAnnotation()), row)
    return result


def _check_row(
    path: Path, number: int, row: Mapping[str, str], files: Collection[str], vocabularies: Mapping[str, Sequence[str]]
) -> None:
    if row.get('file') not in files:
        found = row.get('file', 'nothing')
        raise _error(path, f'row {number}, file', found, 'an image of this folder', 'correct the path or drop the row')
    for column, allowed in vocabularies.items():
        if column in row and row[column] not in allowed:
            raise _error(path, f'row {number}, {column}', row[column], f'one of {", ".join(allowed)}', 'correct it')
    given = [column for column in (*_BOX, 'category') if column in row]
    if given and len(given) < 5:
        raise _error(path, f'row {number}, box', given, 'category, x1, y1, x2 and y2 together', 'complete the row')


def _merged(path: Path, number: int, known: ImageAnnotation, row: Mapping[str, str]) -> ImageAnnotation:
    """The annotation of an image with one more row."""
    labels = {column: row[column] for column in _LABELS if column in row}
    split = row.get('split', known.split)
    clash = sorted(column for column in labels if known.labels.get(column, labels[column]) != labels[column])
    if clash or known.split not in (None, split):
        column = clash[0] if clash else 'split'
        raise _error(path, f'row {number}, {column}', row[column], 'what earlier rows of the file say', 'correct it')
    findings = known.findings + ((_finding(path, number, row),) if 'x1' in row else ())
    return ImageAnnotation(findings, {**known.labels, **labels}, split)


def _finding(path: Path, number: int, row: Mapping[str, str]) -> Finding:
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


def _error(path: Path, field_name: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(path, field=field_name, found=found, expected=expected, remedy=remedy)
