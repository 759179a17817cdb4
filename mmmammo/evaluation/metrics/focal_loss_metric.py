"""The focal loss of a multi-label classifier on a validation set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.metrics.classification_metric import ScoreMetric
from mmmammo.evaluation.metrics.classifier_samples import identity_of, labels_of_sample, scores_of_sample
from mmmammo.registry import METRICS

_LEAST = 1e-12  # a score of exactly 0 or 1 would cost infinitely much


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """What a classifier said of one image or patch, beside the truth.

    Args:
        image_id: ``img_id`` of the sample, or ``sample_idx``.
        scores: (c,) in [0, 1].
        labels: (c,) bool.
    """

    image_id: Any
    scores: FloatArray
    labels: BoolArray


@METRICS.register_module()
class FocalLossMetric(ScoreMetric):
    """``focal/loss``: mean of ``-(1 - p_t)^gamma log p_t`` over classes and samples, what a plateau schedule watches.

    Args:
        gamma: That of the training loss; 0 is binary cross-entropy.
        **kwargs: See :class:`~mmmammo.evaluation.metrics.GatheredMetric`.

    Raises:
        MammoError: If ``gamma`` is negative.
    """

    default_prefix = 'focal'

    def __init__(self, gamma: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        option('FocalLossMetric', 'gamma', gamma, 'at least 0', good=gamma >= 0)
        self.gamma = gamma

    def record(self, sample: Mapping[str, Any]) -> LabelledScores:
        """Scores and labels of one image.

        Raises:
            MammoError: If one is missing or malformed.
        """
        scores = scores_of_sample(sample)
        return LabelledScores(identity_of(sample)['image_id'], scores, labels_of_sample(sample, len(scores)))

    def score(self, images: list[LabelledScores]) -> dict[str, float]:
        """Average over all."""
        scores, labels = np.stack([image.scores for image in images]), np.stack([image.labels for image in images])
        right = np.where(labels, scores, 1 - scores).clip(_LEAST, 1)
        return {'loss': float(np.mean(-((1 - right) ** self.gamma) * np.log(right)))}
