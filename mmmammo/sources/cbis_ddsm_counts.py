"""What the tables of CBIS-DDSM hold, beside the published numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmmammo.sources.cbis_ddsm_tables import PARTS, Part, image_place, patient_of
from mmmammo.sources.protocol import CountCheck
from mmmammo.sources.tables import Row, Table

PUBLISHED: Mapping[Part, Mapping[str, int]] = {
    part: dict(zip(('rows', 'malignant rows', 'images', 'patients', 'breasts'), counts, strict=True))
    for part, counts in zip(
        PARTS,
        (
            (1318, 637, 1231, 691, 722),
            (378, 147, 361, 201, 210),
            (1546, 544, 1227, 602, 662),
            (326, 129, 284, 151, 161),
        ),
        strict=True,
    )
}
"""By table; the paper's 891 patients with masses are one fewer than its tables name."""
PUBLISHED_OF_BOTH = {'patients': 1566, 'images': 3103, 'patients moved to test': 31, 'views in both types': 71}
_EDITED = 'the table is not the published one: download it again'
View = tuple[str, ...]


def check_tables(tables: Mapping[Part, Table]) -> Iterator[CountCheck]:
    """Counts of every table; of all four together too, if they are there."""
    for part, table in tables.items():
        for what, found in _counts(table.rows).items():
            yield _check(f'{part.kind} {part.split} {what}', found, PUBLISHED[part][what])
        yield from table.extra_columns()
    if set(tables) == set(PARTS):
        views = {part: {_view(row) for row in table.rows} for part, table in tables.items()}
        for what, found in _counts_of_both(tables, views).items():
            yield _check(f'mass and calc {what}', found, PUBLISHED_OF_BOTH[what])


def check_files(kinds: Sequence[str], found: int, named: int, is_jpeg: bool) -> CountCheck:
    """Files on disk beside those that the tables name.

    Args:
        kinds: Of the tables.
        found: How many files of these tables are on disk.
        named: How many the tables name.
        is_jpeg: Whether they are those of the JPEG version, in which two of all are missing.
    """
    published = sum(n['images'] + 2 * n['rows'] for part, n in PUBLISHED.items() if part.kind in kinds)
    why = f'{named - found} that the tables name are not there; see quality.csv' if found < named else ''
    why = why or ('' if named == published or is_jpeg else _EDITED)
    return CountCheck(f'{" and ".join(kinds)} files', found, None if is_jpeg else published, why)


def moved_patients(tables: Mapping[Part, Table]) -> set[str]:
    """Patients who are in the training set of one type and in the test set of the other."""
    by_split = {
        split: {
            patient_of(image_place(row).case)
            for part, table in tables.items()
            if part.split == split
            for row in table.rows
        }
        for split in ('train', 'test')
    }
    return by_split['train'] & by_split['test']


def _check(what: str, found: int, published: int) -> CountCheck:
    return CountCheck(what, found, published, '' if found == published else _EDITED)


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    """In the order of the published ones."""
    views = {_view(row) for row in rows}
    return {
        'rows': len(rows),
        'malignant rows': sum(row.text('pathology', '') == 'MALIGNANT' for row in rows),
        'images': len({image_place(row) for row in rows}),
        'patients': len({view[0] for view in views}),
        'breasts': len({view[:2] for view in views}),
    }


def _counts_of_both(tables: Mapping[Part, Table], views: Mapping[Part, set[View]]) -> dict[str, int]:
    mass, calc = (
        set().union(*(found for part, found in views.items() if part.kind == kind)) for kind in ('mass', 'calc')
    )
    return {
        'patients': len({view[0] for view in mass | calc}),
        'images': sum(len({image_place(row) for row in table.rows}) for table in tables.values()),
        'patients moved to test': len(moved_patients(tables)),
        'views in both types': len(mass & calc),
    }


def _view(row: Row) -> View:
    """Patient, side and view, from the case folder."""
    return tuple(image_place(row).case.split('_')[2:5])
