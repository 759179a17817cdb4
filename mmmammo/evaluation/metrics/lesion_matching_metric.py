"""Pairs of detections over views as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mmmammo.evaluation.functional import lesion_matching
from mmmammo.evaluation.metrics.detection_metric import image_prediction
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, require
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction, LesionPair


@dataclass(frozen=True, eq=False)
class PairedPrediction:
    """One image with the pairs that begin in it, and how sure its landmarks are."""

    image: ImagePrediction
    pairs: tuple[LesionPair, ...]
    quality: float

    @property
    def image_id(self) -> Any:
        """COCO image id."""
        return self.image.image_id


@METRICS.register_module()
class LesionMatchingMetric(GatheredMetric):
    """How well detections of CC and MLO views were paired, see :func:`lesion_matching`.

    Logs ``matching/precision``, ``matching/recall``, ``matching/accuracy``, ``matching/n_pairs``,
    ``matching/n_predicted`` and ``matching/n_detections``. The model needs a ``lesion_matcher``, the set lesion ids.

    Args:
        matching: How detections find lesions.
        iou_thr: Likewise.
        score_thr: Weaker detections are none; the matcher's.
        **kwargs: See :class:`GatheredMetric`.
    """

    default_prefix = 'matching'

    def __init__(self, matching: str = 'iou', iou_thr: float = 0.2, score_thr: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rules = {'matching': matching, 'iou_thr': iou_thr, 'score_thr': score_thr}

    def record(self, sample: Mapping[str, Any]) -> PairedPrediction:
        """Boxes and pairs of one image.

        Raises:
            MammoError: If the model made no pairs.
        """
        remedy = "give the model lesion_matcher=dict(type='mmmammo.LesionMatcher'), or drop this metric"
        pairs = require(sample, 'lesion_pairs', remedy)
        return PairedPrediction(image_prediction(sample), tuple(pairs), float(sample.get('quality') or 0))

    def score(self, images: list[PairedPrediction]) -> dict[str, float]:
        """Compare with the lesions' ids."""
        pairs = [pair for image in images for pair in image.pairs]
        qualities = [image.quality for image in images]
        result = lesion_matching([image.image for image in images], pairs, qualities=qualities, **self.rules)
        log_table(
            f'Lesions over views: {result.n_pairs} found in both, {result.n_predicted} pairs of true positives, '
            f'{result.n_detections} true positives in views with a partner',
            ['', 'value'],
            [[name, f'{getattr(result, name):.3f}'] for name in ('precision', 'recall', 'accuracy')],
        )
        return asdict(result)
