"""The numbers of out-of-fold scores: of all folds together, fold by fold, and at thresholds of the other folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean, stdev

import numpy as np

from mmmammo.crossval.tables import FOLD
from mmmammo.evaluation.functional import Reading, ScoreMeasure, read_measure
from mmmammo.evaluation.functional.score_measures import HELD_OUT as HELD_OUT_F1
from mmmammo.io.score_tables import ScoreTable

MEASURES: Mapping[str, str] = {
    'auc': 'auc',
    'pf1': 'pf1',
    'binf1@best': 'best_f1',
    'threshold@best': 'best_threshold',
    'binf1@thr': HELD_OUT_F1,
}
"""Name -> statistic of :class:`~mmmammo.evaluation.functional.ScoreMeasure`."""
BOUNDS = ('_low', '_high')
"""After the key of a number: the ends of its interval."""


def out_of_fold_measures(table: ScoreTable) -> dict[str, ScoreMeasure]:
    """How the numbers of :func:`out_of_fold_numbers` are read off the table, which has a column of folds."""
    return {
        f'{prefix}{name}': replace(
            measure, statistic=statistic, fold_attribute=FOLD if statistic == HELD_OUT_F1 else ''
        )
        for prefix, measure in _places(table)
        for name, statistic in MEASURES.items()
    }


def out_of_fold_numbers(table: ScoreTable) -> dict[str, Reading]:
    """The readings of pF1 that there are, and AUC, at every level that the table allows.

    Keys are ``oof/<level>/<name>``, with several classes ``oof/<level>/<class>/<name>``: ``auc``; ``pf1``, of
    probabilities; ``binf1@best``, the best F1 over the 100 thresholds of paper 2, chosen on these very rows, with
    ``threshold@best``; ``binf1@thr``, the F1 where each fold is called at the best threshold of the others. A breast is
    the mean of its images, an exam the maximum of its breasts.

    Args:
        table: Out-of-fold scores of images, with a column of folds.

    Returns:
        nan with its reason where undefined. The keys depend on the columns of the table, not on its rows.
    """
    return {key: as_reading(read_measure(table, one)) for key, one in out_of_fold_measures(table).items()}


def spread_over_folds(folds: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float | int | None]]:
    """Mean, standard deviation and number of the folds in which a metric is defined.

    Args:
        folds: Metrics of each; ``None`` where undefined. The ends of intervals are left out.
    """
    keys = dict.fromkeys(key for fold in folds for key in fold if not key.endswith(BOUNDS))
    defined = {key: [fold[key] for fold in folds if fold.get(key) is not None] for key in keys}
    return {key: _spread([float(value) for value in values if value is not None]) for key, values in defined.items()}


def as_reading(value: float) -> Reading:
    """The number with its reason, if it is nan."""
    if isinstance(value, Reading):
        return value
    return Reading(value) if np.isfinite(value) else Reading.undefined('undefined')


def _places(table: ScoreTable) -> Iterator[tuple[str, ScoreMeasure]]:
    """Beginning of the keys, and a measure there, of every level and class.

    Breasts and exams are left out where images lack exam or side.
    """
    levels = {table.level: 'row'}
    if table.level == 'image' and all(table.exam_ids) and set(table.lateralities) <= {'L', 'R'}:
        levels |= {'breast': 'breast', 'exam': 'exam'}
    for name, level in levels.items():
        for index, class_name in enumerate(table.classes):
            prefix = f'oof/{name}/{class_name}/' if len(table.classes) > 1 else f'oof/{name}/'
            yield prefix, ScoreMeasure('auc', class_index=index, level=level)


def _spread(values: Sequence[float]) -> dict[str, float | int | None]:
    return {
        'value': mean(values) if values else None,
        'sd': stdev(values) if len(values) > 1 else None,
        'n': len(values),
    }
