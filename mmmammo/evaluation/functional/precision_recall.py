"""Average precision of detections at any list of IoU thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmmammo.evaluation.functional.inputs import FloatArray, ImageBoxes, ImageDetections, flatten_images
from mmmammo.evaluation.functional.matches import Matches
from mmmammo.evaluation.functional.matching import match_detections
from mmmammo.structures import MammoError

RECALL_LEVELS: FloatArray = np.linspace(0, 1, 101, dtype=np.float64)
"""Where COCO samples the precision."""


def average_precision(
    detections: ImageDetections,
    ground_truths: ImageBoxes,
    iou_thrs: Sequence[float],
    ignored: ImageBoxes | None = None,
) -> dict[float, float]:
    """Average precision of one category, as COCO defines it (pycocotools gives the same numbers).

    The precision, made monotone, is averaged over 101 recalls; a hit has an IoU *equal to or* above the threshold;
    detections of equal score are taken in the order given. Unlike COCO, no cap on detections per image is applied.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``.
        ground_truths: Per image (m, 4) xyxy.
        iou_thrs: Each in (0, 1].
        ignored: Per image (k, 4) regions in which detections count neither way (COCO's crowds).

    Returns:
        IoU -> AP in [0, 1]; nan when there is no lesion. Its keys are the thresholds asked for, whatever the data.

    Raises:
        MammoError: On malformed boxes, scores or thresholds.
    """
    if not all(0 < iou_thr <= 1 for iou_thr in iou_thrs):
        raise MammoError(
            'average_precision',
            field='iou_thrs',
            found=list(iou_thrs),
            expected='fractions above 0, up to 1',
            remedy='write 0.5 for an IoU of 50 %',
        )
    flat = flatten_images(detections, ground_truths, ignored)
    return {
        iou_thr: interpolated_precision(match_detections(flat, 'iou', iou_thr, inclusive=True)) for iou_thr in iou_thrs
    }


def interpolated_precision(matches: Matches) -> float:
    """Mean over 101 recalls of the best precision reached at that recall or beyond; nan without lesions."""
    if not len(matches.lesion_image):
        return float('nan')
    true_positives = np.cumsum(matches.is_true_positive, dtype=np.float64)
    counted = true_positives + np.cumsum(matches.is_false_positive)
    precision = np.divide(true_positives, counted, out=np.zeros_like(counted), where=counted > 0)
    best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    reached = np.searchsorted(true_positives / len(matches.lesion_image), RECALL_LEVELS, side='left')
    return float(best_from_here[reached].mean())
