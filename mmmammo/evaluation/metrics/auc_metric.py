"""AUC of samples as an MMEngine metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmmammo.evaluation.functional import ScoreMeasure, auc, bootstrap_ci, delong_interval
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.metrics.classification_metric import ClassificationMetric, ImageScore, scores_of
from mmmammo.evaluation.metrics.gathered_metric import patients_of
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS


@METRICS.register_module()
class AUCMetric(ClassificationMetric):
    """AUC of samples as they are, e.g. of the patches of a :class:`mmmammo.datasets.FindingPatchDataset`.

    Logs ``auc/auc`` with its 95 % interval ``auc/auc_low`` and ``auc/auc_high``, ``auc/n_samples`` and
    ``auc/n_positive``.

    Args:
        bootstrap: Replicates of an interval that resamples patients; 0 for DeLong's, which takes samples as
            independent and so is too narrow where a patient has several.
        seed: Of the bootstrap.
        **kwargs: See :class:`ClassificationMetric`.
    """

    default_prefix = 'auc'
    unit = 'samples'

    def __init__(self, bootstrap: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bootstrap = bootstrap
        self.seed = seed

    def measured(self) -> dict[str, ScoreMeasure]:
        """See :meth:`ClassificationMetric.measured`."""
        return {'auc': ScoreMeasure('auc')}

    def score(self, images: list[ImageScore]) -> dict[str, float]:
        """Rank."""
        labels, scores, patients = self.rows(images)
        area = auc(labels, scores)
        low, high, reason = self._interval(labels, scores, patients)
        reason = area.reason or reason
        rule = 'bootstrap of patients' if self.bootstrap else 'DeLong'
        log_table(
            f'AUC of {len(labels)} {self.unit}, {labels.sum()} positive' + (f' ({reason})' if reason else ''),
            ['', 'value', f'95 % interval ({rule})'],
            [['AUC', f'{area:.3f}', f'{low:.3f} to {high:.3f}']],
        )
        counts = {f'n_{self.unit}': len(labels), 'n_positive': int(labels.sum())}
        return {'auc': float(area), 'auc_low': low, 'auc_high': high} | counts

    def rows(self, images: list[ImageScore]) -> tuple[BoolArray, FloatArray, list[str]]:
        """Label, score and patient of each unit that is ranked; no patients unless they are resampled."""
        labels = np.array([image.label for image in images])
        return labels, scores_of(images), patients_of(images) if self.bootstrap else []

    def _interval(self, labels: BoolArray, scores: FloatArray, patients: list[str]) -> tuple[float, float, str | None]:
        if not self.bootstrap:
            interval = delong_interval(labels, scores)
            return float(interval.low), float(interval.high), interval.low.reason

        def area(rows: IntArray) -> float:
            return auc(labels[rows], scores[rows])

        drawn = bootstrap_ci(area, patients, self.bootstrap, seed=self.seed)
        return float(drawn.low), float(drawn.high), drawn.reason
