"""The boxes of VinDr-Mammo: ``finding_annotations.csv``.

Each row repeats what the table of breasts says of the image, and adds one box with its categories, or says that there
is none. The order of the columns is not published; they are read by name.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Finding, MammoError, Problem

FINDINGS = 'finding_annotations.csv'
BREAST_COLUMNS = ('laterality', 'view_position', 'breast_birads', 'breast_density', 'split')
"""What both tables say of an image."""

BIRADS = {f'BI-RADS {n}': str(n) for n in range(1, 6)}
NO_FINDING = 'No Finding'
CATEGORY_NAMES: Mapping[str, str] = {
    'Mass': 'mass',
    'Suspicious Calcification': 'calcification',
    'Focal Asymmetry': 'focal_asymmetry',
    'Architectural Distortion': 'distortion',
    'Asymmetry': 'asymmetry',
    'Suspicious Lymph Node': 'lymph_node',
    'Skin Thickening': 'skin_thickening',
    'Nipple Retraction': 'nipple_retraction',
    'Global Asymmetry': 'global_asymmetry',
    'Skin Retraction': 'skin_retraction',
}
"""Our category by that of the table, in the order of their frequency."""

_BOX = ('xmin', 'ymin', 'xmax', 'ymax')


def read_findings(path: Path) -> tuple[Table, dict[str, list[Row]]]:
    """The table, and its rows by image.

    Raises:
        MammoError: If it is missing or damaged.
    """
    required = ('image_id', 'finding_categories', 'finding_birads', *_BOX)
    table = read_table(path, required, ('study_id', 'series_id', 'height', 'width', *BREAST_COLUMNS))
    by_image: dict[str, list[Row]] = {}
    for row in table.rows:
        by_image.setdefault(row.text('image_id'), []).append(row)
    return table, by_image


def findings_of(image: Row, rows: Sequence[Row]) -> tuple[Finding, ...]:
    """One finding per box and category.

    Args:
        image: Its row of the table of breasts.
        rows: Its rows of the table of findings.

    Raises:
        MammoError: If there is no row, one contradicts the table of breasts or another row, or holds an unknown value.
    """
    if not rows:
        raise MammoError(
            image.path.with_name(FINDINGS),
            field=FINDINGS,
            found=f'no row for the image of {image.path.name} row {image.position}',
            expected='one, with or without box',
            remedy='download the table again; without a row nobody knows whether there is a finding',
            problem=Problem.TABLES,
        )
    for row in rows:
        _check_agrees(row, image)
        _check_box(row)
    boxed = [(row, names) for row in rows if NO_FINDING not in (names := categories_of(row))]
    if len(boxed) < len(rows) > 1:
        expected = f'{NO_FINDING} as the only row of an image'
        raise rows[-1].error('finding_categories', f'{len(rows)} rows with one that says {NO_FINDING}', expected)
    return tuple(finding for box, (row, names) in enumerate(boxed) for finding in _boxed(row, names, box))


def categories_of(row: Row) -> tuple[str, ...]:
    """The categories as the table names them; ``('No Finding',)`` for a row without box.

    Raises:
        MammoError: If they are no list, or one of them is unknown.
    """
    text, expected = row.text('finding_categories'), "a list such as ['Mass', 'Skin Thickening']"
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as err:
        raise row.error('finding_categories', text, expected) from err
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise row.error('finding_categories', text, expected)
    for name in names:
        if name not in CATEGORY_NAMES and names != [NO_FINDING]:
            expected = f'{NO_FINDING} alone, or some of {", ".join(CATEGORY_NAMES)}'
            raise row.error('finding_categories', name, expected)
    return tuple(dict.fromkeys(names))


def _boxed(row: Row, names: Sequence[str], box: int) -> list[Finding]:
    x1, y1, x2, y2 = (row.number(column) for column in _BOX)
    birads = row.choice('finding_birads', BIRADS, default=None)
    categories = [CATEGORY_NAMES[name] for name in names]
    attributes = {'categories': categories, 'box': box}
    return [Finding((x1, y1, x2, y2), name, birads=birads, attributes=attributes) for name in categories]


def _check_box(row: Row) -> None:
    """A row without finding has no box; that the others have one is seen when it is read."""
    if categories_of(row) == (NO_FINDING,):
        for column in _BOX:
            if row.has(column):
                raise row.error(column, row.text(column), f'nothing, because of {NO_FINDING}')


def _check_agrees(row: Row, image: Row) -> None:
    for column in BREAST_COLUMNS:
        if row.has(column) and row.text(column) != image.text(column):
            expected = f'{image.text(column)}, as in {image.path.name} row {image.position}'
            raise row.error(column, row.text(column), expected)
