"""The cut and the numbers as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mmmammo.crossval.counts import FoldCounts
from mmmammo.crossval.numbers import BOUNDS


def counts_table(counts: FoldCounts) -> RenderableType:
    """Patients, exams, and images by value, fold by fold; below, what is uneven."""
    table = Table(title='Folds', title_justify='left')
    names = ('fold', 'patients', 'exams', *(f'images, {counts.label}={value}' for value in counts.values))
    for name in names:
        table.add_column(name, justify='right')
    for fold, images in enumerate(counts.images):
        cells = (fold, counts.patients[fold], counts.exams[fold], *(images.get(value, 0) for value in counts.values))
        table.add_row(*(f'{cell:,}' for cell in cells))
    return Group(table, *(Text(f'warning: {words}', style='yellow') for words in counts.warnings))


def numbers_table(document: Mapping[str, Any]) -> RenderableType:
    """Each metric of all rows together, and as mean over the folds that have it; below, why some are undefined.

    Args:
        document: Of ``metrics.json``.
    """
    folds, pooled, mean = document['folds'], document['metrics'], document['mean']
    rows = 'images' if document.get('kind') == 'detections' else 'rows'
    table = Table(
        title=f'{sum(fold["n"] for fold in folds):,} {rows} of {len(folds)} folds: all together, and the mean of folds',
        title_justify='left',
    )
    table.add_column('metric', no_wrap=True)
    for name in ('all', '95 % interval', 'mean', 'sd'):
        table.add_column(name, justify='right', no_wrap=True)
    ours = [key for key in pooled if key.startswith('oof/')]
    for key in dict.fromkeys([*ours, *pooled]):
        if key.endswith(BOUNDS):
            continue
        over = mean.get(key, {'value': None, 'sd': None})
        bounds = [pooled.get(f'{key}{end}') for end in BOUNDS]
        interval = '' if None in bounds else f'{_number(bounds[0])} to {_number(bounds[1])}'
        table.add_row(key, _number(pooled[key]), interval, _number(over['value']), _number(over['sd']))
    reasons = document.get('reasons', {})
    undefined = {words: [key for key, why in reasons.items() if why == words] for words in reasons.values()}
    return Group(table, *(Text(f'{words}: {", ".join(names)}') for words, names in undefined.items()))


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3g}'
