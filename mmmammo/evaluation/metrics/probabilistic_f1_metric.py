"""pF1 of the RSNA screening competition as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    RSNA_THRESHOLDS,
    Reading,
    ScoreMeasure,
    auc,
    best_binarised_f1,
    binarised_f1,
    breast_scores,
    probabilistic_f1,
)
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.metrics.classification_metric import ClassificationMetric, ImageScore, columns_of, scores_of
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS

LEVELS = ('image', 'breast')


@METRICS.register_module()
class ProbabilisticF1Metric(ClassificationMetric):
    """pF1, its binarised forms, and AUC, of images and of breasts.

    Logs per level, e.g. ``pf1/breast/pf1``, and beside it ``f1@best`` with ``threshold@best`` (what Table 2 of paper 2
    prints: best over 100 thresholds, chosen on the very rows), ``f1@0.50`` (at ``threshold``), ``auc``, ``n`` and
    ``n_positive``.

    Args:
        beta: Weight of recall against precision, of all F scores.
        threshold: Of the F1 whose threshold is not chosen here.
        levels: Of ``'image'`` and ``'breast'``. The competition scores breasts, paper 2 images.
        rule: How the images of a breast are put together, one of ``AGGREGATION_RULES``.
        **kwargs: See :class:`ClassificationMetric`.

    Raises:
        MammoError: On an unknown level, or none.
    """

    default_prefix = 'pf1'

    def __init__(
        self,
        beta: float = 1.0,
        threshold: float = 0.5,
        levels: Sequence[str] = LEVELS,
        rule: str = 'mean',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        good = len(levels) > 0 and set(levels) <= set(LEVELS)
        option('ProbabilisticF1Metric', 'levels', list(levels), f'some of {LEVELS}', good=good)
        self.beta = beta
        self.threshold = threshold
        self.levels = tuple(levels)
        self.rule = rule

    def measured(self) -> dict[str, ScoreMeasure]:
        """See :meth:`ClassificationMetric.measured`."""
        statistics = {
            'pf1': ('pf1', {'beta': self.beta}),
            'f1@best': ('best_f1', {'beta': self.beta}),
            'threshold@best': ('best_threshold', {'beta': self.beta}),
            f'f1@{self.threshold:.2f}': ('f1', {'beta': self.beta, 'threshold': self.threshold}),
            'auc': ('auc', {}),
        }
        levels = {'image': {'level': 'row'}, 'breast': {'level': 'breast', 'breast_rule': self.rule}}
        return {
            f'{level}/{key}': ScoreMeasure(statistic, **levels[level], **options)
            for level in self.levels
            for key, (statistic, options) in statistics.items()
        }

    def score(self, images: list[ImageScore]) -> dict[str, float]:
        """Aggregate, then score each level."""
        numbers: dict[str, float] = {}
        title = 'Probabilistic F1'
        for level in self.levels:
            labels, scores = self._rows(level, images)
            readings = self._readings(labels, scores)
            for reason in sorted({value.reason for value in readings.values() if value.reason}):
                undefined = ', '.join(key for key, value in readings.items() if value.reason == reason)
                title += f'\n{level}: {reason}: {undefined}'
            numbers |= {f'{level}/{key}': float(value) for key, value in readings.items()}
            numbers |= {f'{level}/n': len(labels), f'{level}/n_positive': int(labels.sum())}
        keys = [key.removeprefix(f'{self.levels[0]}/') for key in numbers if key.startswith(f'{self.levels[0]}/')]
        rows = [[key, *(f'{numbers[f"{level}/{key}"]:.4g}' for level in self.levels)] for key in keys]
        log_table(title, ['', *self.levels], rows)
        return numbers

    def _rows(self, level: str, images: list[ImageScore]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        labels, scores = np.array([image.label for image in images]), scores_of(images)
        if level == 'breast':
            breasts = breast_scores(scores, rule=self.rule, **columns_of(images))
            return np.asarray(breasts.labels), breasts.scores
        return labels, scores

    def _readings(self, labels: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> dict[str, Reading]:
        best = best_binarised_f1(labels, scores, RSNA_THRESHOLDS, self.beta, inclusive=False)
        return {
            'pf1': probabilistic_f1(labels, scores, self.beta),
            'f1@best': best.value,
            'threshold@best': best.threshold,
            f'f1@{self.threshold:.2f}': binarised_f1(labels, scores, self.threshold, self.beta),
            'auc': auc(labels, scores),
        }
