"""Average precision of lesions of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmmammo.evaluation.functional.inputs import (
    BoolArray,
    FlatBoxes,
    FloatArray,
    ImageBoxes,
    ImageDetections,
    flatten_images,
)
from mmmammo.evaluation.functional.matches import Matches, select_lesions
from mmmammo.evaluation.functional.matching import match_detections
from mmmammo.evaluation.functional.precision_recall import ap_reading, check_ious
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.structures import MammoError

SIZE_CLASSES: Mapping[str, tuple[float, float]] = {
    'microcalcification': (0, 15),
    'small mass': (15, 40),
    'medium mass': (40, 100),
    'large mass': (100, float('inf')),
}
"""Paper 3's, one per pyramid level; its outer bounds, 5 and 250 px, are left open, so that every lesion has a class."""

COCO_SIZE_CLASSES: Mapping[str, tuple[float, float]] = {'small': (0, 32), 'medium': (32, 96), 'large': (96, 1e5)}
"""COCO's."""


def average_precision_by_size(
    detections: ImageDetections,
    ground_truths: ImageBoxes,
    iou_thrs: Sequence[float],
    size_classes: Mapping[str, tuple[float, float]],
    ignored: ImageBoxes | None = None,
) -> dict[str, dict[float, Reading]]:
    """Average precision of lesions of each size, as COCO defines it.

    Lesions of other sizes count neither way, nor do the detections that hit only them, nor detections of other sizes
    that hit nothing.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``.
        ground_truths: Per image (m, 4) xyxy.
        iou_thrs: Each in (0, 1].
        size_classes: Name -> least and greatest side in pixels, both included; the side of a box is the root of its
            area. See :data:`SIZE_CLASSES` and :data:`COCO_SIZE_CLASSES`.
        ignored: Per image (k, 4) regions in which detections count neither way.

    Returns:
        Name -> IoU -> AP; nan with its reason for a size that no lesion has.

    Raises:
        MammoError: On malformed boxes, scores, thresholds or size classes.
    """
    check_ious(iou_thrs)
    for name, (least, greatest) in size_classes.items():
        if not 0 <= least <= greatest:
            raise MammoError(
                'average_precision_by_size',
                field=f'size_classes[{name!r}]',
                found=(least, greatest),
                expected='(least, greatest) side in pixels',
                remedy='correct the bounds',
            )
    flat = flatten_images(detections, ground_truths, ignored)
    return {
        name: {iou_thr: ap_reading(match_size(flat, iou_thr, *sides)) for iou_thr in iou_thrs}
        for name, sides in size_classes.items()
    }


def match_size(flat: FlatBoxes, iou_thr: float, least: float, greatest: float) -> Matches:
    """Matches in which only lesions of a size count; see :func:`average_precision_by_size`.

    Args:
        flat: The boxes of all images.
        iou_thr: Of a hit, itself included.
        least: Side in pixels from which on a lesion counts.
        greatest: Side up to which it counts.
    """

    def has_size(boxes: FloatArray) -> BoolArray:
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        inside: BoolArray = (area >= least**2) & (area <= greatest**2)
        return inside

    counts = has_size(flat.gt_boxes)
    matches = match_detections(flat, 'iou', iou_thr, inclusive=True, set_aside=~counts)
    other_size = ~has_size(flat.boxes)[matches.detection]
    ignored = matches.ignored | (other_size & ~matches.is_true_positive)
    return select_lesions(replace(matches, ignored=ignored), counts)
