"""What others counted in the ``train.csv`` of RSNA's challenge, beside what is in a download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mmmammo.sources.protocol import CountCheck
from mmmammo.sources.tables import Row, Table

FILES = 'image files'
PUBLISHED: Mapping[str, int] = {
    'images': 54_706,
    FILES: 54_706,
    'patients': 11_913,
    'breasts': 23_826,
    'images of site 1': 29_519,
    'images of site 2': 25_187,
    'images L': 27_267,
    'images R': 27_439,
    'images MLO': 27_903,
    'images CC': 26_765,
    'images AT': 19,
    'images LM': 10,
    'images ML': 8,
    'images LMO': 1,
    'images with cancer': 1_158,
    'breasts with cancer': 492,
    'patients with cancer': 486,
    'images with biopsy': 2_969,
    'images with invasive': 818,
    'images with implant': 1_477,
    'images without age': 37,
    'images of BIRADS 0': 8_249,
    'images of BIRADS 1': 15_772,
    'images of BIRADS 2': 2_265,
    'images of density A': 3_105,
    'images of density B': 12_651,
    'images of density C': 12_175,
    'images of density D': 1_539,
    'difficult negative images': 7_705,
}
_GROUPS = {'site': 'site_id', 'BIRADS': 'BIRADS', 'density': 'density'}
_RESPLIT_ROWS = (49_232, 5_474)
"""MLE-bench divides the table anew, for its own test."""


def checks_of(tables: Sequence[Table], num_files: int, folds: Mapping[str, int]) -> tuple[CountCheck, ...]:
    """Counts beside the published ones, then columns that nobody reads and the sizes of folds.

    Args:
        tables: ``train.csv`` first.
        num_files: Images of it on the disk.
        folds: By patient; may be empty.
    """
    rows = tables[0].rows
    found = _counts(rows)
    found[FILES] = num_files
    why = dict.fromkeys(PUBLISHED, 'the table is not that of the challenge')
    if len(rows) in _RESPLIT_ROWS:
        why = dict.fromkeys(PUBLISHED, 'the table is a part of the re-split by MLE-bench')
    if len(rows) == PUBLISHED['images']:
        why[FILES] = 'not all images are downloaded' if num_files < len(rows) else 'more files than images'
    checks = [CountCheck(what, found[what], n, '' if found[what] == n else why[what]) for what, n in PUBLISHED.items()]
    extra = [check for table in tables for check in table.extra_columns()]
    return (*checks, *extra, *_fold_checks(rows, folds))


def _counts(rows: Sequence[Row]) -> Counter[str]:
    """Cells that hold no number count as they are written, under no published name."""
    counts: Counter[str] = Counter()
    for row in rows:
        cells = {name: _whole(cell) for name, cell in row.cells.items()}
        counts.update(f'images of {name} {cells[column]}' for name, column in _GROUPS.items())
        counts.update((f'images {cells["laterality"]}', f'images {cells["view"]}'))
        counts.update(
            f'images with {name}' for name in ('cancer', 'biopsy', 'invasive', 'implant') if cells[name] == '1'
        )
        counts['images without age'] += not cells['age']
        counts['difficult negative images'] += cells['difficult_negative_case'].lower() in ('true', '1')
    counts['images'] = len(rows)
    positive = [row for row in rows if _has_cancer(row)]
    for suffix, some in (('', rows), (' with cancer', positive)):
        counts[f'patients{suffix}'] = len({row.cells['patient_id'] for row in some})
        counts[f'breasts{suffix}'] = len({(row.cells['patient_id'], row.cells['laterality']) for row in some})
    return counts


def _fold_checks(rows: Sequence[Row], folds: Mapping[str, int]) -> list[CountCheck]:
    """Images of every fold, all and those with cancer; nobody has published them."""
    of_fold = Counter(folds[row.cells['patient_id']] for row in rows if folds)
    positive = Counter(folds[row.cells['patient_id']] for row in rows if folds and _has_cancer(row))
    checks = []
    for fold in sorted(of_fold):
        checks.append(CountCheck(f'images of fold {fold}', of_fold[fold], None))
        checks.append(CountCheck(f'images of fold {fold} with cancer', positive[fold], None))
    return checks


def _has_cancer(row: Row) -> bool:
    return _whole(row.cells['cancer']) == '1'


def _whole(cell: str) -> str:
    """``1`` of ``1.0``."""
    return cell.removesuffix('.0')
