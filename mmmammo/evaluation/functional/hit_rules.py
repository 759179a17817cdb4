"""When a detection hits a lesion: the named rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FlatBoxes, FloatArray, IntArray
from mmmammo.structures import MammoError

HIT_RULES = ('iou', 'centre_in_box', 'distance')
"""How a detection hits a lesion: by overlap, with its centre in the box, or with its centre near the box's centre."""


@dataclass(frozen=True)
class HitRule:
    """A rule with its parameters.

    Args:
        matching: One of :data:`HIT_RULES`.
        iou_thr: For ``'iou'``, in [0, 1].
        inclusive: For ``'iou'``, whether an IoU equal to the threshold is a hit.
        distance_mm: For ``'distance'``, the greatest distance of the two centres that is a hit.

    Raises:
        MammoError: If the rule is unknown, or a parameter missing or out of range.
    """

    matching: str = 'iou'
    iou_thr: float = 0.2
    inclusive: bool = False
    distance_mm: float | None = None

    def __post_init__(self) -> None:
        distance_is_good = self.distance_mm is not None and 0 < self.distance_mm < np.inf
        for field, good, expected, remedy in (
            ('matching', self.matching in HIT_RULES, f'one of {HIT_RULES}', 'correct the name'),
            ('iou_thr', 0 <= self.iou_thr <= 1, '0 to 1', 'give a fraction, not per cent'),
            (
                'distance_mm',
                self.matching != 'distance' or distance_is_good,
                "a positive number of millimetres with matching='distance'",
                'say how far the centre of a hit may lie from the centre of the lesion, e.g. distance_mm=10',
            ),
        ):
            if not good:
                found = repr(getattr(self, field))
                raise MammoError('matching rules', field=field, found=found, expected=expected, remedy=remedy)

    def __str__(self) -> str:
        if self.matching == 'iou':
            return f'IoU {">=" if self.inclusive else ">"} {self.iou_thr:g}'
        return 'centre in box' if self.matching == 'centre_in_box' else f'centres within {self.distance_mm:g} mm'


@dataclass(frozen=True, eq=False)
class HitTest:
    """A rule on given boxes.

    Args:
        extent: (d, 4) of the detections. A pair can only be a hit when the extents share at least a border.
        other_extent: (g, 4) of the lesions.
        measure: (p,) detections and (p,) lesions -> (p,) whether it is a hit, (p,) preference of the detection among
            the lesions that it hits, the greater the better.
    """

    extent: FloatArray
    other_extent: FloatArray
    measure: Callable[[IntArray, IntArray], tuple[BoolArray, FloatArray]]


def lesion_test(rule: HitRule, flat: FlatBoxes) -> HitTest:
    """Whether a detection hits a lesion.

    Raises:
        MammoError: If the rule is a distance and an image with lesions has no spacing.
    """
    if rule.matching == 'distance':
        return _distance_test(rule, flat)
    if rule.matching == 'centre_in_box':
        return _centre_test(flat.boxes, flat.gt_boxes)

    def measure(detection: IntArray, lesion: IntArray) -> tuple[BoolArray, FloatArray]:
        iou = box_iou(flat.boxes[detection], flat.gt_boxes[lesion])
        return (iou >= rule.iou_thr if rule.inclusive else iou > rule.iou_thr), iou

    return HitTest(flat.boxes, flat.gt_boxes, measure)


def ignored_test(rule: HitRule, flat: FlatBoxes) -> HitTest:
    """Whether a detection lies in an ignored region.

    By the share of its *own* area inside, with the threshold of the rule (COCO's crowds); for rules about centres, by
    its centre.
    """
    if rule.matching != 'iou':
        return _centre_test(flat.boxes, flat.ignored_boxes)

    def measure(detection: IntArray, region: IntArray) -> tuple[BoolArray, FloatArray]:
        intersection, area, _ = _areas(flat.boxes[detection], flat.ignored_boxes[region])
        share = _ratio(intersection, area)
        return (share >= rule.iou_thr if rule.inclusive else share > rule.iou_thr), share

    return HitTest(flat.boxes, flat.ignored_boxes, measure)


def box_iou(boxes: npt.ArrayLike, others: npt.ArrayLike) -> FloatArray:
    """Intersection over union of the boxes of two lists, row by row.

    Args:
        boxes: (p, 4) xyxy.
        others: (p, 4).

    Returns:
        (p,); 0 where both boxes are empty.
    """
    intersection, area, other_area = _areas(np.asarray(boxes, dtype=np.float64), np.asarray(others, dtype=np.float64))
    return _ratio(intersection, area + other_area - intersection)


def _centre_test(boxes: FloatArray, others: FloatArray) -> HitTest:
    def measure(detection: IntArray, other: IntArray) -> tuple[BoolArray, FloatArray]:
        centre = _centres(boxes[detection])
        inside = (centre >= others[other, :2]) & (centre <= others[other, 2:])
        return inside[:, 0] & inside[:, 1], box_iou(boxes[detection], others[other])

    return HitTest(boxes, others, measure)


def _distance_test(rule: HitRule, flat: FlatBoxes) -> HitTest:
    spacing = _known_spacing(flat)
    centre, lesion_centre = _centres(flat.boxes), _centres(flat.gt_boxes)
    limit = float(rule.distance_mm or 0.0)
    reach = (limit / spacing[flat.gt_image] + 1)[:, None]  # a pixel more: only a first sieve, safe from rounding

    def measure(detection: IntArray, lesion: IntArray) -> tuple[BoolArray, FloatArray]:
        distance = np.hypot(*(centre[detection] - lesion_centre[lesion]).T) * spacing[flat.gt_image[lesion]]
        return distance <= limit, -distance

    extent = np.concatenate([lesion_centre - reach, lesion_centre + reach], axis=1)
    return HitTest(np.concatenate([centre, centre], axis=1), extent, measure)


def _known_spacing(flat: FlatBoxes) -> FloatArray:
    """(num_images,) mm per pixel; images without lesions need none."""
    spacing = np.full(flat.num_images, np.nan) if flat.spacing_mm is None else flat.spacing_mm
    missing = np.flatnonzero(np.isnan(spacing[flat.gt_image]))
    if len(missing):
        raise MammoError(
            f'image {flat.gt_image[missing[0]]}',
            field='spacing_mm',
            found='nothing',
            expected="millimetres per pixel: the image has a lesion and matching='distance' compares millimetres",
            remedy='give spacing_mm per image (pixel_spacing_mm of the prepared set), or match by iou or centre_in_box',
        )
    return spacing


def _centres(boxes: FloatArray) -> FloatArray:
    centres: FloatArray = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centres


def _areas(boxes: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    size = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    intersection = np.clip(size, 0, None).prod(axis=1)
    return intersection, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1), (others[:, 2:] - others[:, :2]).prod(axis=1)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
