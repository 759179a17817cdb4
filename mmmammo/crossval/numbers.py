"""The numbers of out-of-fold scores: of all folds together, fold by fold, and at thresholds of the other folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    RSNA_THRESHOLDS,
    Reading,
    auc,
    best_binarised_f1,
    held_out_f1,
    probabilistic_f1,
)
from mmmammo.evaluation.summary.score_levels import Aggregation, aggregated
from mmmammo.io.score_tables import ScoreTable

LEVELS = ('image', 'breast', 'exam')


def out_of_fold_numbers(table: ScoreTable, folds: npt.NDArray[np.int64]) -> dict[str, Reading]:
    """The readings of pF1 that there are (SYSTEMS.md 3.8), and AUC, at every level that the table allows.

    Keys are ``oof/<level>/<name>``, with several classes ``oof/<level>/<class>/<name>``: ``auc``; ``pf1``, of
    probabilities; ``binf1@best``, the best F1 over the 100 thresholds of paper 2, chosen on these very rows, with
    ``threshold@best``; ``binf1@thr``, the F1 where each fold is called at the best threshold of the others.

    Args:
        table: Out-of-fold scores of images.
        folds: (n,) of its rows.

    Returns:
        nan with its reason where undefined. The keys depend on the columns of the table, not on its rows.
    """
    numbers: dict[str, Reading] = {}
    for level, rows in tables_by_level(table).items():
        own = _folds_at(rows, table, folds)
        for column, name in enumerate(rows.classes):
            prefix = f'oof/{level}/{name}/' if len(rows.classes) > 1 else f'oof/{level}/'
            found = _readings(rows.labels[:, column], rows.scores[:, column], own)
            numbers |= {f'{prefix}{key}': value for key, value in found.items()}
    return numbers


def tables_by_level(table: ScoreTable) -> dict[str, ScoreTable]:
    """The table at each level: means over the images of a breast, maxima over the breasts of an exam.

    Breasts and exams are left out where images lack exam or side.
    """
    if table.level != 'image' or not all(table.exam_ids) or not set(table.lateralities) <= {'L', 'R'}:
        return {table.level: table}
    return {level: aggregated(table, Aggregation('row' if level == 'image' else level)) for level in LEVELS}


def spread_over_folds(folds: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float | int | None]]:
    """Mean, standard deviation and number of the folds in which a metric is defined.

    Args:
        folds: Metrics of each; ``None`` where undefined.
    """
    keys = dict.fromkeys(key for fold in folds for key in fold)
    defined = {key: [fold[key] for fold in folds if fold.get(key) is not None] for key in keys}
    return {key: _spread([float(value) for value in values if value is not None]) for key, values in defined.items()}


def _spread(values: Sequence[float]) -> dict[str, float | int | None]:
    return {
        'value': mean(values) if values else None,
        'sd': stdev(values) if len(values) > 1 else None,
        'n': len(values),
    }


def _readings(
    labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
) -> dict[str, Reading]:
    best = best_binarised_f1(labels, scores, RSNA_THRESHOLDS, inclusive=False)
    return {
        'auc': auc(labels, scores),
        'pf1': probabilistic_f1(labels, scores),
        'binf1@best': best.value,
        'threshold@best': best.threshold,
        'binf1@thr': held_out_f1(labels, scores, folds, RSNA_THRESHOLDS, inclusive=False).value,
    }


def _folds_at(rows: ScoreTable, images: ScoreTable, folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The fold of each row of a level, by its patient."""
    of: dict[str, Any] = dict(zip(images.patient_ids, folds.tolist(), strict=True))
    return np.array([of[patient] for patient in rows.patient_ids], dtype=np.int64)
