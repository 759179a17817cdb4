"""``annotations.csv``: what a user knows about the images of a folder.

It belongs to the source ``folder``; beside a ``cohort.csv`` it holds findings only, :data:`FINDING_COLUMNS`. One row
per finding; a row without a box says something about the whole image. All columns but ``file`` may be absent, and all
cells empty.

========================================= ============================================================
column                                    meaning
========================================= ============================================================
``file``                                  path relative to the folder; required
``category``                              a category of the source: ``mass``, ``calcification``, …
``x1``, ``y1``, ``x2``, ``y2``            box in pixels of the file
``lesion_id``                             the same for one lesion in every view
``pathology``                             ``malignant`` or ``benign``
``birads``                                of the finding
``laterality``, ``view``                  ``L`` or ``R``; ``CC``, ``MLO``, …; win over header and name
``exam_id``, ``patient_id``               win over what folders and headers say
``split``                                 ``train``, ``val`` or ``test``; the same for all of a patient
``cancer``, ``implant``, ``biopsy``       labels of the image or breast: 0 or 1
``density``, ``breast_birads``            likewise: ``A`` to ``D``; 0 to 6, ``4A``, ``4B``, ``4C``
``age``                                   a number
========================================= ============================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmammo.sources.tables import Row, read_table
from mmmammo.structures import Finding, Laterality, MammoError, View

FILE_NAME = 'annotations.csv'
_BOX = ('x1', 'y1', 'x2', 'y2')
_FINDING = ('category', *_BOX, 'lesion_id', 'pathology', 'birads')
_LABELS = {name: name for name in ('cancer', 'density', 'implant', 'biopsy', 'age')} | {'breast_birads': 'birads'}
_IMAGE = ('laterality', 'view', 'exam_id', 'patient_id', 'split', *_LABELS)
FINDING_COLUMNS = ('file', *_FINDING)
"""What there is to say where another table speaks of images, exams and patients."""
ALL_COLUMNS = (*FINDING_COLUMNS, *_IMAGE)
EXAM_COLUMNS = ('file', 'laterality', 'view', 'exam_id', 'patient_id')
"""What a model has to know, which needs no truth."""
_VOCABULARIES = {
    'pathology': ('malignant', 'benign'),
    'split': ('train', 'val', 'test'),
    'laterality': (Laterality.LEFT.value, Laterality.RIGHT.value),
    'view': tuple(view.value for view in View if view is not View.UNKNOWN),
    **dict.fromkeys(('cancer', 'implant', 'biopsy'), ('0', '1')),
    'density': ('A', 'B', 'C', 'D'),
    'breast_birads': ('0', '1', '2', '3', '4', '4A', '4B', '4C', '5', '6'),
}
_COLUMNS_OF_NUMBERS = (*_BOX, 'age')


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


def read_annotations(
    path: Path,
    files: Collection[str],
    categories: Sequence[str],
    columns: Sequence[str] = ALL_COLUMNS,
    *,
    ignore_others: bool = False,
) -> dict[str, ImageAnnotation]:
    """Read the table; empty if there is none.

    Args:
        path: The CSV file.
        files: The images of the folder, as the column ``file`` names them.
        categories: Allowed values of ``category``.
        columns: That the table may have, ``file`` first.
        ignore_others: Whether other columns, and rows of other files, are nobody's business instead of an error.

    Returns:
        By file.

    Raises:
        MammoError: Naming the row, for an unknown column or value, a file that is not there, a box that is half or
            inverted, or rows that contradict each other about an image.
    """
    if not path.is_file():
        return {}
    try:
        table = read_table(path, columns[:1], columns[1:], absent=('',))
    except MammoError as err:
        remedy = 'save it with commas between cells and points in numbers; docs/prepared_sets.md describes it'
        raise MammoError(path, field=err.field, found=err.found, expected=err.expected, remedy=remedy) from err
    if table.extra and not ignore_others:
        raise MammoError(
            path,
            field='columns',
            found=f'unknown {", ".join(table.extra)}',
            expected=f'only {", ".join(columns)}',
            remedy='rename or drop them',
        )
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        if ignore_others and row.text('file') not in files:
            continue
        _check_row(row, files, {**_VOCABULARIES, 'category': tuple(categories)}, columns)
        rows.setdefault(row.text('file'), []).append(row)
    return {file: _annotation(of_file, columns) for file, of_file in rows.items()}


def _check_row(
    row: Row, files: Collection[str], vocabularies: Mapping[str, Sequence[str]], columns: Sequence[str]
) -> None:
    if row.text('file') not in files:
        is_windows = row.text('file').replace('\\', '/') in files
        remedy = 'write / between folders' if is_windows else 'correct the path or drop the row'
        raise row.error('file', row.text('file'), 'an image of this folder', remedy)
    for column in columns:
        allowed = vocabularies.get(column)
        if allowed is not None and row.has(column) and row.text(column) not in allowed:
            raise row.error(column, row.text(column), f'one of {", ".join(allowed)}', 'correct it')
    given = [column for column in _FINDING if column in columns and row.has(column)]
    for column in _COLUMNS_OF_NUMBERS:
        if column in columns and row.has(column):
            _require_number(row, column)
    absent = [column for column in ('category', *_BOX) if not row.has(column)]
    if given and absent:
        expected = f'category, x1, y1, x2 and y2, because there is {given[0]}'
        raise row.error(', '.join(absent), 'nothing', expected, 'complete the finding, or empty its cells')


def _require_number(row: Row, column: str) -> None:
    try:
        row.number(column)
    except MammoError as err:
        raise row.error(column, row.text(column), err.expected, 'correct it; the decimal sign is a point') from err


def _annotation(rows: Sequence[Row], columns: Sequence[str]) -> ImageAnnotation:
    """All rows of one image."""
    said: dict[str, str] = {}
    for row in rows:
        for column in _IMAGE:
            if column in columns and row.has(column) and said.setdefault(column, row.text(column)) != row.text(column):
                expected = f'{said[column]}, as an earlier row of {row.text("file")} says'
                raise row.error(column, row.text(column), expected, 'correct one of them')
    return ImageAnnotation(
        findings=tuple(_finding(row) for row in rows if 'category' in columns and row.has('category')),
        labels={name: _number(said[column]) for column, name in _LABELS.items() if column in said},
        laterality=Laterality(said['laterality']) if 'laterality' in said else None,
        view=View(said['view']) if 'view' in said else None,
        exam_id=said.get('exam_id'),
        patient_id=said.get('patient_id'),
        split=said.get('split'),
    )


def _finding(row: Row) -> Finding:
    x1, y1, x2, y2 = (row.number(column) for column in _BOX)
    if not (x1 < x2 and y1 < y2):
        found, expected = f'{x1:g}, {y1:g}, {x2:g}, {y2:g}', 'x1 less than x2, and y1 less than y2'
        raise row.error(', '.join(_BOX), found, expected, 'give the corners, not a corner and a size')
    return Finding(
        bbox=(x1, y1, x2, y2),
        category=row.text('category'),
        lesion_id=row.text('lesion_id', None),
        pathology=row.text('pathology', None),
        birads=row.text('birads', None),
    )


def _number(text: str) -> int | float | str:
    """A label as the number it is, else as it is written."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text
