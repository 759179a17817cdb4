"""AUC of exams as an MMEngine metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmmammo.evaluation.functional import GroupScores, auc, bootstrap_ci, delong_interval, exam_scores
from mmmammo.evaluation.functional.inputs import IntArray
from mmmammo.evaluation.metrics.classification_metric import ClassificationMetric, ImageScore, columns_of, scores_of
from mmmammo.evaluation.metrics.gathered_metric import patients_of
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS


@METRICS.register_module()
class ExamAUCMetric(ClassificationMetric):
    """AUC of exams whose score is put together from their images, by default as paper 4 does.

    Logs ``exam/auc`` with its 95 % interval ``exam/auc_low`` and ``exam/auc_high``, ``exam/n_exams``,
    ``exam/n_positive`` and ``exam/n_images``. An exam is positive if one of its images is.

    Args:
        breast_rule: How the images of a breast are put together, one of ``AGGREGATION_RULES``.
        exam_rule: How the breasts of an exam are put together.
        as_log_odds: Whether the rules work on log-odds, paper 4's ``z_pos - z_neg``, instead of probabilities.
        bootstrap: Replicates of an interval that resamples patients; 0 for DeLong's, which takes exams as
            independent and so suits one exam per woman.
        seed: Of the bootstrap.
        **kwargs: See :class:`ClassificationMetric`.
    """

    default_prefix = 'exam'

    def __init__(
        self,
        breast_rule: str = 'sum',
        exam_rule: str = 'max',
        as_log_odds: bool = True,
        bootstrap: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rules = {'breast_rule': breast_rule, 'exam_rule': exam_rule}
        self.as_log_odds = as_log_odds
        self.bootstrap = bootstrap
        self.seed = seed

    def score(self, images: list[ImageScore]) -> dict[str, float]:
        """Aggregate, then score."""
        exams = exam_scores(scores_of(images, as_log_odds=self.as_log_odds), **self.rules, **columns_of(images))
        labels = np.asarray(exams.labels)
        area = auc(labels, exams.scores)
        low, high, reason = self._interval(exams, images)
        reason = area.reason or reason
        rule = 'bootstrap of patients' if self.bootstrap else 'DeLong'
        log_table(
            f'AUC of {len(labels)} exams, {labels.sum()} positive' + (f' ({reason})' if reason else ''),
            ['', 'value', f'95 % interval ({rule})'],
            [['AUC', f'{area:.3f}', f'{low:.3f} to {high:.3f}']],
        )
        counts = {'n_exams': len(labels), 'n_positive': int(labels.sum()), 'n_images': len(images)}
        return {'auc': float(area), 'auc_low': low, 'auc_high': high} | counts

    def _interval(self, exams: GroupScores, images: list[ImageScore]) -> tuple[float, float, str | None]:
        labels = np.asarray(exams.labels)
        if not self.bootstrap:
            interval = delong_interval(labels, exams.scores)
            return float(interval.low), float(interval.high), interval.low.reason
        patient = dict(zip([image.exam_id for image in images], patients_of(images), strict=True))

        def area(rows: IntArray) -> float:
            return auc(labels[rows], exams.scores[rows])

        drawn = bootstrap_ci(area, [patient[exam] for exam in exams.exam_ids], self.bootstrap, seed=self.seed)
        return float(drawn.low), float(drawn.high), drawn.reason
