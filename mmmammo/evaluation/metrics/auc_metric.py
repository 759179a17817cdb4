"""AUC of single samples as an MMEngine metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmmammo.evaluation.functional import auc, bootstrap_ci, delong_interval
from mmmammo.evaluation.functional.inputs import IntArray
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

    def __init__(self, bootstrap: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bootstrap = bootstrap
        self.seed = seed

    def score(self, images: list[ImageScore]) -> dict[str, float]:
        """Rank."""
        labels, scores = np.array([image.label for image in images]), scores_of(images)
        area = auc(labels, scores)
        if self.bootstrap:

            def of_rows(rows: IntArray) -> float:
                return auc(labels[rows], scores[rows])

            interval = bootstrap_ci(of_rows, patients_of(images), self.bootstrap, seed=self.seed)
        else:
            interval = delong_interval(labels, scores)
        low, high = float(interval.low), float(interval.high)
        rule = 'bootstrap of patients' if self.bootstrap else 'DeLong'
        log_table(
            f'AUC of {len(labels)} samples, {labels.sum()} positive' + (f' ({area.reason})' if area.reason else ''),
            ['', 'value', f'95 % interval ({rule})'],
            [['AUC', f'{area:.3f}', f'{low:.3f} to {high:.3f}']],
        )
        counts = {'n_samples': len(labels), 'n_positive': int(labels.sum())}
        return {'auc': float(area), 'auc_low': low, 'auc_high': high} | counts
