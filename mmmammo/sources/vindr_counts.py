"""What the authors of VinDr-Mammo counted in version 1.0.0, beside what is in a download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmmammo.sources.protocol import CountCheck
from mmmammo.sources.vindr_findings import NO_FINDING, categories_of
from mmmammo.sources.vindr_metadata import METADATA, odd_ages
from mmmammo.structures import MammoError

if TYPE_CHECKING:
    from mmmammo.sources.vindr import Download

FILES = 'image files'
PUBLISHED: Mapping[str, int] = {
    'images': 20_000,
    FILES: 20_000,
    'studies': 5_000,
    'images of training': 16_000,
    'images of test': 4_000,
    'images of BI-RADS 1': 13_406,
    'images of BI-RADS 2': 4_676,
    'images of BI-RADS 3': 930,
    'images of BI-RADS 4': 762,
    'images of BI-RADS 5': 226,
    'images of DENSITY A': 100,
    'images of DENSITY B': 1_908,
    'images of DENSITY C': 15_292,
    'images of DENSITY D': 2_700,
    'rows of findings': 20_486,
    'rows with a box': 2_254,
    'images with a box': 1_768,
    'rows of No Finding': 18_232,
    'rows of Mass': 1_226,
    'rows of Suspicious Calcification': 543,
    'rows of Focal Asymmetry': 269,
    'rows of Architectural Distortion': 119,
    'rows of Asymmetry': 97,
    'rows of Suspicious Lymph Node': 57,
    'rows of Skin Thickening': 57,
    'rows of Nipple Retraction': 37,
    'rows of Global Asymmetry': 26,
    'rows of Skin Retraction': 18,
    f'rows of {METADATA}': 20_000,
}


def checks_of(download: Download) -> tuple[CountCheck, ...]:
    """Counts beside the published ones, then columns that nobody reads and ages that are none."""
    found = _breast_counts(download) | _finding_counts(download)
    found[FILES] = len(download.images)
    found[f'rows of {METADATA}'] = len(download.metadata)
    why = dict.fromkeys(PUBLISHED, 'the tables are not those of version 1.0.0')
    why[FILES] = 'not all images are downloaded' if found[FILES] < PUBLISHED[FILES] else 'more files than images'
    if not download.metadata:
        why[f'rows of {METADATA}'] = 'not downloaded: age and machine are those of the files'
    checks = [CountCheck(what, found[what], n, '' if found[what] == n else why[what]) for what, n in PUBLISHED.items()]
    extra = [check for table in download.tables for check in table.extra_columns()]
    return (*checks, *extra, *odd_ages(download.metadata.values()))


def _breast_counts(download: Download) -> Counter[str]:
    rows = download.breasts.rows
    counts = Counter(
        f'images of {row.cells[name]}' for row in rows for name in ('split', 'breast_birads', 'breast_density')
    )
    counts['images'] = len(rows)
    counts['studies'] = len({row.cells['study_id'] for row in rows})
    return counts


def _finding_counts(download: Download) -> Counter[str]:
    """Rows whose categories are none count as rows only; they are refused with their image."""
    counts: Counter[str] = Counter()
    for rows in download.findings.values():
        counts['rows of findings'] += len(rows)
        boxes = 0
        for row in rows:
            try:
                names = categories_of(row)
            except MammoError:
                continue
            counts.update(f'rows of {name}' for name in names)
            boxes += NO_FINDING not in names
        counts['rows with a box'] += boxes
        counts['images with a box'] += boxes > 0
    return counts
