"""AUC of exams as an MMEngine metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmmammo.evaluation.functional import ScoreMeasure, exam_scores
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.metrics.auc_metric import AUCMetric
from mmmammo.evaluation.metrics.classification_metric import ImageScore, columns_of, scores_of
from mmmammo.evaluation.metrics.gathered_metric import patients_of
from mmmammo.registry import METRICS


@METRICS.register_module()
class ExamAUCMetric(AUCMetric):
    """AUC of exams whose score is put together from their images, by default as paper 4 does.

    Logs ``exam/auc`` with its 95 % interval ``exam/auc_low`` and ``exam/auc_high``, ``exam/n_exams``,
    ``exam/n_positive`` and ``exam/n_images``. An exam is positive if one of its images is. Samples whose
    ``img_id`` is that of their exam are whole exams, and are ranked as they are.

    Args:
        breast_rule: How the images of a breast are put together, one of ``AGGREGATION_RULES``.
        exam_rule: How the breasts of an exam are put together.
        as_log_odds: Whether the rules work on log-odds, paper 4's ``z_pos - z_neg``, instead of probabilities.
        **kwargs: See :class:`AUCMetric`; DeLong's interval suits one exam per woman.
    """

    default_prefix = 'exam'
    unit = 'exams'

    def __init__(
        self, breast_rule: str = 'sum', exam_rule: str = 'max', as_log_odds: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rules = {'breast_rule': breast_rule, 'exam_rule': exam_rule}
        self.as_log_odds = as_log_odds

    def measured(self) -> dict[str, ScoreMeasure]:
        """See :meth:`ClassificationMetric.measured`."""
        return {'auc': ScoreMeasure('auc', level='exam', as_log_odds=self.as_log_odds, **self.rules)}

    def score(self, images: list[ImageScore]) -> dict[str, float]:
        """Aggregate, then rank."""
        return super().score(images) | {'n_images': len(images)}

    def rows(self, images: list[ImageScore]) -> tuple[BoolArray, FloatArray, list[str]]:
        """Of exams."""
        if all(str(image.image_id) == image.exam_id for image in images):
            return super().rows(images)
        exams = exam_scores(scores_of(images, as_log_odds=self.as_log_odds), **self.rules, **columns_of(images))
        labels = np.asarray(exams.labels)
        if not self.bootstrap:
            return labels, exams.scores, []
        patient = dict(zip([image.exam_id for image in images], patients_of(images), strict=True))
        return labels, exams.scores, [patient[exam] for exam in exams.exam_ids]
