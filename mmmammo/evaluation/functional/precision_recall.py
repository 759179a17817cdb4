"""Average precision of detections at any list of IoU thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray, ImageBoxes, ImageDetections, flatten_images
from mmmammo.evaluation.functional.matches import Matches
from mmmammo.evaluation.functional.matching import match_detections
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.structures import ImagePrediction, MammoError

RECALL_LEVELS: FloatArray = np.linspace(0, 1, 101, dtype=np.float64)
"""Where COCO samples the precision."""

_CELLS = 1 << 22

AVG7_IOUS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""What paper 0's weakly supervised rows print as "Avg"."""
AVG8_IOUS = (*AVG7_IOUS, 0.9)
"""What its DINO rows print as "Avg": their table shows seven columns, the mean has an eighth."""
PAPER_AVERAGES: Mapping[str, tuple[float, ...]] = {'Avg7': AVG7_IOUS, 'Avg8': AVG8_IOUS}
"""The two means, named apart because they are not comparable."""


def average_precision(
    detections: ImageDetections,
    ground_truths: ImageBoxes,
    iou_thrs: Sequence[float],
    ignored: ImageBoxes | None = None,
) -> dict[float, Reading]:
    """Average precision of one category, as COCO defines it (pycocotools gives the same numbers).

    The precision, made monotone, is averaged over 101 recalls; a hit has an IoU *equal to or* above the threshold;
    detections of equal score are taken in the order given. Unlike COCO, no cap on detections per image is applied.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``.
        ground_truths: Per image (m, 4) xyxy.
        iou_thrs: Each in (0, 1].
        ignored: Per image (k, 4) regions in which detections count neither way (COCO's crowds).

    Returns:
        IoU -> AP in [0, 1]; nan with its reason when there is no lesion. Its keys are the thresholds asked for,
        whatever the data.

    Raises:
        MammoError: On malformed boxes, scores or thresholds.
    """
    check_ious(iou_thrs)
    flat = flatten_images(detections, ground_truths, ignored)
    return {iou_thr: ap_reading(match_detections(flat, 'iou', iou_thr, inclusive=True)) for iou_thr in iou_thrs}


def average_precision_per_class(
    images: Sequence[ImagePrediction], class_names: Sequence[str], iou_thrs: Sequence[float]
) -> dict[str, dict[float, Reading]]:
    """Average precision of each class: only its own detections, lesions and ignored regions count.

    Args:
        images: Truth and detections; labels index ``class_names``.
        class_names: The class list. Each has its row, whether or not it occurs.
        iou_thrs: Each in (0, 1].
    """
    rows = {}
    for label, name in enumerate(class_names):
        chosen = [image.of_label(label) for image in images]
        rows[name] = average_precision(
            [(image.boxes, image.scores) for image in chosen],
            [image.gt_boxes for image in chosen],
            iou_thrs,
            [image.ignored_boxes for image in chosen],
        )
    return rows


def average_over_ious(ap: Mapping[float, float], iou_thrs: Sequence[float]) -> Reading:
    """The mean over a list of IoUs.

    Args:
        ap: IoU -> AP, for these IoUs at least.
        iou_thrs: The list; see :data:`PAPER_AVERAGES`.

    Returns:
        The mean; nan with its reason when an IoU is missing or its AP undefined: a mean over fewer is another number.
    """
    at = {round(iou, 6): value for iou, value in ap.items()}
    values = [at.get(round(iou, 6)) for iou in iou_thrs]
    missing = [f'{iou:g}' for iou, value in zip(iou_thrs, values, strict=True) if value is None]
    if missing:
        return Reading.undefined(f'no AP at IoU {", ".join(missing)}')
    numbers = [value for value in values if value is not None]
    if np.isnan(numbers).any():
        undefined = next(value for value in numbers if np.isnan(value))
        return Reading.undefined(getattr(undefined, 'reason', None) or 'AP undefined')
    return Reading(float(np.mean(numbers)))


def paper_averages(ap: Mapping[float, float]) -> dict[str, Reading]:
    """``Avg7`` over IoU 0.2 to 0.8 and ``Avg8`` over 0.2 to 0.9, which paper 0 both prints as "Avg"."""
    return {name: average_over_ious(ap, iou_thrs) for name, iou_thrs in PAPER_AVERAGES.items()}


def interpolated_precision(matches: Matches, image_weights: npt.ArrayLike | None = None) -> float:
    """Mean over 101 recalls of the best precision reached at that recall or beyond; nan without lesions.

    Args:
        matches: Detections matched to lesions.
        image_weights: (num_images,) how often each image counts; once by default. With a bootstrap replicate's
            weights this is the AP of the images so repeated.
    """
    weights = np.ones(matches.num_images) if image_weights is None else np.asarray(image_weights, dtype=np.float64)
    num_lesions = weights[matches.lesion_image].sum()
    if not num_lesions:
        return float('nan')
    of_detection = weights[matches.image]
    true_positives = np.cumsum(matches.is_true_positive * of_detection)
    counted = true_positives + np.cumsum(matches.is_false_positive * of_detection)
    return _mean_at_recalls(true_positives, counted, num_lesions)


def precision_reader(matches: Matches) -> Callable[[npt.NDArray[Any]], float]:
    """:func:`interpolated_precision` of any image weights, to be read many times.

    Between two hits precision only falls, so hits alone are looked at. How many false positives of each image precede
    each hit is counted once; the weights then take one product. Where that table would not fit the cache, the weights
    of the false positives between two hits are summed up each time.

    Args:
        matches: Detections matched to lesions.
    """
    hits = np.flatnonzero(matches.is_true_positive)
    wrong = np.flatnonzero(matches.is_false_positive)
    behind = np.searchsorted(hits, wrong)  # the first hit that comes after it
    wrong_image, behind = matches.image[wrong[behind < len(hits)]], behind[behind < len(hits)]
    dense = matches.num_images * len(hits) <= _CELLS
    preceding = (_counted_before if dense else _summed_before)(wrong_image, behind, len(hits), matches.num_images)
    hit_image, lesion_image = matches.image[hits], matches.lesion_image

    def read(weights: npt.NDArray[Any]) -> float:
        num_lesions = float(weights[lesion_image].sum())
        if not num_lesions:
            return float('nan')
        found = np.cumsum(weights[hit_image], dtype=np.float64)
        return _mean_at_recalls(found, found + preceding(weights), num_lesions)

    return read


def _counted_before(
    image: npt.NDArray[np.integer], behind: npt.NDArray[np.integer], num_hits: int, num_images: int
) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Image weights -> (num_hits,) weight of the false positives before each hit, from a table of their counts."""
    between = np.zeros((num_images, num_hits), dtype=np.float32)  # exact: whole numbers, far below 2^24
    np.add.at(between, (image, behind), 1)
    table = np.cumsum(between, axis=1)
    return lambda weights: weights.astype(np.float32) @ table


def _summed_before(
    image: npt.NDArray[np.integer], behind: npt.NDArray[np.integer], num_hits: int, _num_images: int
) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """The same, one false positive at a time: in memory of their number, whatever that of the images."""
    image = image.astype(np.int32)
    starts = np.searchsorted(behind, np.arange(num_hits))  # of those that come after one hit and before the next
    none_between = np.append(starts[1:] == starts[:-1], starts[-1:] == len(image))

    def before(weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        of_each = np.append(weights.astype(np.float32)[image], np.float32(0))
        between = np.add.reduceat(of_each, starts) if num_hits else of_each[:0]
        between[none_between] = 0
        return np.cumsum(between, dtype=np.float64)

    return before


def _mean_at_recalls(found: FloatArray, counted: FloatArray, num_lesions: float) -> float:
    """COCO's mean, from the weighted hits and detections down to each place."""
    precision = np.divide(found, counted, out=np.zeros_like(found), where=counted > 0)
    best_from_here = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    reached = np.searchsorted(found / num_lesions, RECALL_LEVELS, side='left')
    return float(best_from_here[reached].mean())


def check_ious(iou_thrs: Sequence[float]) -> None:
    """Refuse IoUs that no detection can be judged by.

    Raises:
        MammoError: If one is not in (0, 1].
    """
    if not all(0 < iou_thr <= 1 for iou_thr in iou_thrs):
        raise MammoError(
            'average precision',
            field='iou_thrs',
            found=list(iou_thrs),
            expected='fractions above 0, up to 1',
            remedy='write 0.5 for an IoU of 50 %',
        )


def ap_reading(matches: Matches) -> Reading:
    """AP of detections already matched; nan with its reason when there is no lesion."""
    value = interpolated_precision(matches)
    return Reading(value) if len(matches.lesion_image) else Reading.undefined('no lesion in the ground truth')
