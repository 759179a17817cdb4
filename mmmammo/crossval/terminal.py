"""The cut and the numbers as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mmmammo.crossval.counts import FoldCounts


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
    """Each metric of all rows together, and as mean over the folds; below, why some are undefined.

    Args:
        document: Of ``metrics.json``.
    """
    folds = document['folds']
    table = Table(title=f'{sum(fold["n"] for fold in folds):,} rows of {len(folds)} folds', title_justify='left')
    table.add_column('metric')
    for name in ('all together', 'mean of folds', 'sd', *(f'fold {fold["fold"]}' for fold in folds)):
        table.add_column(name, justify='right')
    keys = dict.fromkeys([*document['metrics'], *document['mean']])
    for key in keys:
        over = document['mean'].get(key, {'value': None, 'sd': None})
        cells = (document['metrics'].get(key), over['value'], over['sd'], *(fold['metrics'].get(key) for fold in folds))
        table.add_row(key, *map(_number, cells))
    reasons = dict.fromkeys(document.get('reasons', {}).values())
    undefined = {words: [key for key, why in document['reasons'].items() if why == words] for words in reasons}
    return Group(table, *(Text(f'{words}: {", ".join(names)}') for words, names in undefined.items()))


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.4g}'
