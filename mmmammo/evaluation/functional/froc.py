"""Free-response ROC: the share of lesions found against the false positives per image (FPI) that it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, ImageBoxes, ImageDetections, flatten_images
from mmmammo.evaluation.functional.matches import Matches, count_false_positives_on
from mmmammo.evaluation.functional.matching import match_detections
from mmmammo.structures import MammoError

DEFAULT_FPS_PER_IMAGE = (0.5, 1.0, 2.0, 3.0, 4.0)
"""The operating points of paper 3's tables."""


@dataclass(frozen=True, eq=False)
class FROCCurve:
    """One operating point per distinct score, from the highest down; the first is (0, 0) with an infinite threshold.

    Args:
        fps_per_image: (t,) false positives per image, never falling.
        recall: (t,) lesions found over all lesions, never falling; nan without lesions.
        thresholds: (t,) detections with ``score >= threshold`` are kept.
    """

    fps_per_image: FloatArray
    recall: FloatArray
    thresholds: FloatArray


@dataclass(frozen=True, eq=False)
class FROCResult:
    """A FROC curve and what is read off it.

    Args:
        fps_per_image: (t,), see :class:`FROCCurve`.
        recall: (t,).
        thresholds: (t,).
        recall_at: FPI -> recall. Its keys are the FPIs asked for, whatever the data.
        fauc: Area under the curve from 0 to ``fauc_limit`` FPI over that width, in [0, 1]: a constant recall r gives r.
        n_images: Images, with or without lesions.
        n_lesions: Lesion boxes, or the units counted in their place.
        n_detections: Detections, ignored ones included.
        reason: Why the recall is nan; ``None`` when it is not.
        fauc_limit: Where the area ends; 1 FPI in paper 3.
        n_fp_images: Images that false positives are counted on, and divided by.
    """

    fps_per_image: FloatArray
    recall: FloatArray
    thresholds: FloatArray
    recall_at: Mapping[float, float]
    fauc: float
    n_images: int
    n_lesions: int
    n_detections: int
    reason: str | None = None
    fauc_limit: float = 1.0
    n_fp_images: int = 0


def froc(
    detections: ImageDetections,
    ground_truths: ImageBoxes,
    iou_thr: float = 0.2,
    fps_per_image: Sequence[float] = DEFAULT_FPS_PER_IMAGE,
    matching: str = 'iou',
    duplicates: str = 'false_positive',
    ignored: ImageBoxes | None = None,
    *,
    distance_mm: float | None = None,
    spacing_mm: Sequence[float | None] | None = None,
    false_positive_images: str = 'all',
    fauc_limit: float = 1.0,
) -> FROCResult:
    """FROC of lesion detection, categories aside; each lesion box counts as one lesion.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``.
        ground_truths: Per image (m, 4) xyxy lesions.
        iou_thr: A detection hits a lesion when their IoU is *greater* than this ("IoU > .2", paper 3).
        fps_per_image: Where to read the recall.
        matching: ``'iou'``; ``'centre_in_box'``: the centre of the detection lies in the lesion's box; or
            ``'distance'``: the two centres lie at most ``distance_mm`` apart.
        duplicates: What a further hit on a lesion already found is: ``'false_positive'``, or ``'ignore'`` for nothing.
        ignored: Per image (k, 4) regions in which detections count neither way.
        distance_mm: For ``'distance'``.
        spacing_mm: Per image millimetres per pixel, ``None`` where unknown; for ``'distance'``.
        false_positive_images: Where false positives are counted: on ``'all'`` images, or on ``'normal'`` ones, which
            have no lesion.
        fauc_limit: Where the area under the curve ends.

    Returns:
        The curve and its readings; nan with a reason when there is no lesion.

    Raises:
        MammoError: On malformed boxes, scores, spacings, rules or FPIs.
    """
    flat = flatten_images(detections, ground_truths, ignored, spacing_mm=spacing_mm)
    matches = match_detections(flat, matching, iou_thr, duplicates, distance_mm=distance_mm)
    return froc_result(count_false_positives_on(matches, false_positive_images), fps_per_image, fauc_limit)


def froc_result(
    matches: Matches, fps_per_image: Sequence[float] = DEFAULT_FPS_PER_IMAGE, fauc_limit: float = 1.0
) -> FROCResult:
    """The same from detections already matched.

    Raises:
        MammoError: If an FPI is negative or not finite, or the limit of the area not positive.
    """
    check_fps_per_image(fps_per_image, fauc_limit)
    curve = froc_curve(matches)
    recall_at = froc_recall_at(curve, fps_per_image)
    return FROCResult(
        fps_per_image=curve.fps_per_image,
        recall=curve.recall,
        thresholds=curve.thresholds,
        recall_at=dict(zip(fps_per_image, recall_at.tolist(), strict=True)),
        fauc=froc_area(curve, fauc_limit),
        n_images=matches.num_images,
        n_lesions=len(matches.lesion_image),
        n_detections=len(matches.scores),
        reason=undefined_reason(matches),
        fauc_limit=fauc_limit,
        n_fp_images=_num_fp_images(matches),
    )


def check_fps_per_image(fps_per_image: npt.ArrayLike, fauc_limit: float = 1.0) -> None:
    """Refuse FPIs that no curve has.

    Raises:
        MammoError: If an FPI is negative or not finite, or the limit of the area not positive.
    """
    wanted = np.asarray(fps_per_image, dtype=np.float64)
    for field, found, good, expected in (
        ('fps_per_image', wanted.tolist(), (np.isfinite(wanted) & (wanted >= 0)).all(), 'numbers from 0 up'),
        ('fauc_limit', fauc_limit, 0 < fauc_limit < np.inf, 'a positive number'),
    ):
        if not good:
            raise MammoError('froc', field=field, found=found, expected=expected, remedy='correct the argument')


def undefined_reason(matches: Matches) -> str | None:
    """Why the curve is nan, or ``None``."""
    if not len(matches.lesion_image):
        return 'no lesion in the ground truth'
    return None if _num_fp_images(matches) else 'no normal image to count false positives on'


def froc_curve(matches: Matches, image_weights: npt.ArrayLike | None = None) -> FROCCurve:
    """Sweep the threshold. Detections of equal score enter together, in one operating point.

    Args:
        matches: Detections matched to lesions.
        image_weights: (num_images,) how often each image counts; once by default. A bootstrap replicate is one such
            vector, so that nothing needs matching twice.

    Returns:
        The curve. Its recall is nan when no lesion has weight; all is nan when no image for false positives has.
    """
    weights = np.ones(matches.num_images) if image_weights is None else np.asarray(image_weights, dtype=np.float64)
    is_last_of_score = np.append(matches.scores[1:] != matches.scores[:-1], True)[: len(matches.scores)]
    last_of_score = np.flatnonzero(is_last_of_score)

    def count(which: BoolArray) -> FloatArray:
        once_each = image_weights is None
        counted: FloatArray = np.cumsum(which if once_each else which * weights[matches.image], dtype=np.float64)
        return np.append(0.0, counted[last_of_score])

    num_images = weights.sum() if matches.fp_images is None else weights[matches.fp_images].sum()
    num_lesions = weights[matches.lesion_image].sum() if num_images else 0.0
    return FROCCurve(
        fps_per_image=count(matches.is_false_positive) / (num_images or np.nan),
        recall=count(matches.is_true_positive) / (num_lesions or np.nan),
        thresholds=np.append(np.inf, matches.scores[last_of_score]),
    )


def froc_recall_at(curve: FROCCurve, fps_per_image: npt.ArrayLike) -> FloatArray:
    """Recall at given FPIs, linear between operating points.

    Where the curve rises vertically the upper end counts. Beyond the last operating point the recall stays what it is
    there: the detector has nothing more to offer.

    Args:
        curve: The curve.
        fps_per_image: (k,).

    Returns:
        (k,).
    """
    wanted = np.asarray(fps_per_image, dtype=np.float64)
    after = np.searchsorted(curve.fps_per_image, wanted, side='right')
    low = after - 1
    high = np.minimum(after, len(curve.recall) - 1)
    step = curve.fps_per_image[high] - curve.fps_per_image[low]
    share = np.divide(wanted - curve.fps_per_image[low], step, out=np.zeros_like(wanted), where=step > 0)
    result: FloatArray = curve.recall[low] + share * (curve.recall[high] - curve.recall[low])
    return result


def froc_threshold_at(curve: FROCCurve, fps_per_image: float) -> float:
    """The lowest threshold that costs no more than this FPI; infinite if even the highest score costs more.

    Nan without images to count false positives on.
    """
    if np.isnan(curve.fps_per_image[0]):
        return float('nan')
    return float(curve.thresholds[np.searchsorted(curve.fps_per_image, fps_per_image, side='right') - 1])


def froc_area(curve: FROCCurve, max_fps_per_image: float = 1.0) -> float:
    """Area under the curve from 0 to ``max_fps_per_image``, over its width: a constant recall r gives r."""
    width = np.diff(np.minimum(curve.fps_per_image, max_fps_per_image))
    full_width = np.diff(curve.fps_per_image)
    share = np.divide(width, full_width, out=np.zeros_like(width), where=full_width > 0)
    area = width @ (curve.recall[:-1] + share * np.diff(curve.recall) / 2)
    beyond = max(max_fps_per_image - curve.fps_per_image[-1], 0.0) * curve.recall[-1]
    return float((area + beyond) / max_fps_per_image)


def _num_fp_images(matches: Matches) -> int:
    return matches.num_images if matches.fp_images is None else int(matches.fp_images.sum())
