"""Which detection found which lesion.

The rule is greedy by score: detections are taken from the highest score down, and each takes the lesion it hits with
the greatest overlap among those not yet taken. What *hit* means is a named rule.

No loop runs over images or detections. Only the pairs that hit are kept, usually a few per lesion, and they are
resolved in rounds: a detection may take the lesion it likes best as soon as nobody with a higher score could still
want it. Every round serves at least one lesion of every image, so there are at most as many rounds as lesions in the
fullest image, and the outcome is that of the sequential rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FlatBoxes, FloatArray, IntArray, flatten_images
from mmmammo.structures import ImagePrediction, MammoError

DUPLICATE_RULES = ('false_positive', 'ignore')
"""What a further hit on a lesion already found is: a false positive, or nothing."""

_PAIRS_AT_ONCE = 1 << 18  # a few MB per array: stays in the cache


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a detection and a box of the same image.

    Args:
        detection: (p,) index into the detections.
        box: (p,) index into the other boxes.
        overlap: (p,) in [0, 1], decides between several boxes that one detection hits.
    """

    detection: IntArray
    box: IntArray
    overlap: FloatArray

    def select(self, which: BoolArray | IntArray) -> Pairs:
        """Some of the pairs, by mask or index."""
        return Pairs(self.detection[which], self.box[which], self.overlap[which])


@dataclass(frozen=True, eq=False)
class Matches:
    """The fate of every detection, in falling order of score (equal scores in input order).

    Args:
        scores: (d,).
        detection: (d,) index into the detections as they were given, laid end to end.
        image: (d,).
        lesion: (d,) index of the lesion found, or -1.
        ignored: (d,) neither hit nor false positive: a duplicate under ``duplicates='ignore'``, or inside an ignored
            region.
        lesion_image: (g,) image of each lesion.
        num_images: Number of images.
    """

    scores: FloatArray
    detection: IntArray
    image: IntArray
    lesion: IntArray
    ignored: BoolArray
    lesion_image: IntArray
    num_images: int

    @property
    def is_true_positive(self) -> BoolArray:
        """(d,)."""
        return self.lesion >= 0

    @property
    def is_false_positive(self) -> BoolArray:
        """(d,)."""
        return (self.lesion < 0) & ~self.ignored


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


def match_detections(
    flat: FlatBoxes,
    matching: str = 'iou',
    iou_thr: float = 0.2,
    duplicates: str = 'false_positive',
    *,
    inclusive: bool = False,
) -> Matches:
    """Match the detections of all images to their lesions, greedily by score.

    Args:
        flat: The boxes of all images.
        matching: ``'iou'``: the IoU exceeds ``iou_thr``. ``'centre_in_box'``: the centre of the detection lies in the
            lesion's box, its border included; ``iou_thr`` is not used.
        iou_thr: In [0, 1].
        duplicates: What a further hit on a found lesion is, ``'false_positive'`` or ``'ignore'``.
        inclusive: Whether an IoU equal to ``iou_thr`` is a hit (COCO), or not (paper 3: "IoU > .2").

    A detection without a lesion of its own that lies in an ignored region does not count. As for COCO's crowds, it
    lies in it when its intersection with the region, over its *own* area, passes the same threshold.

    Raises:
        MammoError: If a rule is unknown or the threshold outside [0, 1].
    """
    _check_rules(matching, iou_thr, duplicates)
    pairs = _hits(flat, HIT_RULES[matching], iou_thr, inclusive)
    lesion = _assign_greedily(pairs, flat)
    ignored = _in_ignored_region(flat, matching, iou_thr, inclusive)
    if duplicates == 'ignore':
        ignored[pairs.detection] = True
    order = _falling_order(flat.scores)
    return Matches(
        scores=flat.scores[order],
        detection=order,
        image=flat.image[order],
        lesion=lesion[order],
        ignored=(ignored & (lesion < 0))[order],
        lesion_image=flat.gt_image,
        num_images=flat.num_images,
    )


def match_images(images: Sequence[ImagePrediction], **rules: Any) -> Matches:
    """Match the detections of all images, categories aside.

    Args:
        images: Truth and detections.
        **rules: ``matching``, ``iou_thr`` and ``duplicates`` of :func:`match_detections`.
    """
    flat = flatten_images(
        [(image.boxes, image.scores) for image in images],
        [image.gt_boxes for image in images],
        [image.ignored_boxes for image in images],
    )
    return match_detections(flat, **rules)


def _falling_order(scores: FloatArray) -> IntArray:
    """Order of falling score, equal scores in input order: a stable sort, at the price of an unstable one."""
    order = np.argsort(-scores)
    falling = scores[order]
    same_as_next = falling[1:] == falling[:-1]
    is_tied = np.zeros(len(order), dtype=bool)
    is_tied[:-1] |= same_as_next
    is_tied[1:] |= same_as_next
    tied = np.flatnonzero(is_tied)
    run_of_ties = np.cumsum(np.diff(falling[tied], prepend=np.inf) != 0)
    order[tied] = np.sort(run_of_ties * len(order) + order[tied]) % max(len(order), 1)
    return order


def _check_rules(matching: str, iou_thr: float, duplicates: str) -> None:
    for field, found, known in (('matching', matching, tuple(HIT_RULES)), ('duplicates', duplicates, DUPLICATE_RULES)):
        if found not in known:
            raise MammoError(
                'matching rules', field=field, found=repr(found), expected=f'one of {known}', remedy='correct the name'
            )
    if not 0 <= iou_thr <= 1:
        raise MammoError(
            'matching rules', field='iou_thr', found=iou_thr, expected='0 to 1', remedy='give a fraction, not per cent'
        )


def _image_pairs(image: IntArray, other_image: IntArray, num_images: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Index pairs of the same image, both lists in image order, in slices that fit the cache."""
    per_image = np.bincount(other_image, minlength=num_images)
    first_other = (np.cumsum(per_image) - per_image)[image]
    width = per_image[image]
    stop = np.cumsum(width)
    num_pairs = int(stop[-1]) if len(stop) else 0
    edges = np.searchsorted(stop, np.arange(0, num_pairs, _PAIRS_AT_ONCE), side='right')
    for low, high in pairwise([*np.unique(edges).tolist(), len(image)]):
        left = np.repeat(np.arange(low, high), width[low:high])
        begin = stop[low:high] - width[low:high]
        right = np.arange(begin[0], stop[high - 1]) - np.repeat(begin - first_other[low:high], width[low:high])
        yield left, right


def _overlap_iou(boxes: FloatArray, lesions: FloatArray) -> tuple[FloatArray, FloatArray]:
    iou = box_iou(boxes, lesions)
    return iou, iou


def _overlap_centre(boxes: FloatArray, lesions: FloatArray) -> tuple[FloatArray, FloatArray]:
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((centre >= lesions[:, :2]) & (centre <= lesions[:, 2:])).all(axis=1)
    return np.where(inside, np.inf, -np.inf), box_iou(boxes, lesions)


def _overlap_own_area(boxes: FloatArray, regions: FloatArray) -> tuple[FloatArray, FloatArray]:
    intersection, area, _ = _areas(boxes, regions)
    share = _ratio(intersection, area)
    return share, share


HitRule = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(p, 4) detections and (p, 4) lesions -> (p,) what is compared with the threshold, (p,) the preference."""
HIT_RULES: dict[str, HitRule] = {'iou': _overlap_iou, 'centre_in_box': _overlap_centre}


def _hits(flat: FlatBoxes, rule: HitRule, threshold: float, inclusive: bool, ignored: bool = False) -> Pairs:
    """All pairs that pass the rule, of detections with lesions or with ignored regions."""
    others, other_image = (flat.ignored_boxes, flat.ignored_image) if ignored else (flat.gt_boxes, flat.gt_image)
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for detection, box in _image_pairs(flat.image, other_image, flat.num_images):
        near = _touching(flat.boxes, others, detection, box)
        detection, box = detection[near], box[near]
        value, overlap = rule(flat.boxes[detection], others[box])
        hit = value >= threshold if inclusive else value > threshold
        found.append(Pairs(detection[hit], box[hit], overlap[hit]))
    return Pairs(*(np.concatenate([getattr(f, name) for f in found]) for name in ('detection', 'box', 'overlap')))


def _touching(boxes: FloatArray, others: FloatArray, left: IntArray, right: IntArray) -> IntArray:
    """Rows whose boxes share at least a border; the few that are left are worth a closer look."""
    rows = np.arange(len(left))
    for low, high in ((0, 2), (1, 3)):
        i, j = left[rows], right[rows]
        rows = rows[(boxes[i, low] <= others[j, high]) & (others[j, low] <= boxes[i, high])]
    return rows


def _assign_greedily(pairs: Pairs, flat: FlatBoxes) -> IntArray:
    """(d,) lesion of each detection or -1; between equal overlaps the later lesion, as pycocotools does."""
    lesion = np.full(len(flat.scores), -1, dtype=np.int64)
    taken = np.zeros(len(flat.gt_boxes), dtype=bool)
    suitor = np.empty(len(flat.gt_boxes), dtype=np.int64)
    pairs = pairs.select(np.lexsort((-pairs.box, -pairs.overlap, pairs.detection, -flat.scores[pairs.detection])))
    while len(pairs.detection):
        favourite = np.diff(pairs.detection, prepend=-1) != 0
        suitor[pairs.box[::-1]] = pairs.detection[::-1]  # the last write stays: the highest score that hits the box
        settled = pairs.select(favourite & (suitor[pairs.box] == pairs.detection))
        lesion[settled.detection] = settled.box
        taken[settled.box] = True
        pairs = pairs.select(~taken[pairs.box] & (lesion[pairs.detection] < 0))
    return lesion


def _in_ignored_region(flat: FlatBoxes, matching: str, iou_thr: float, inclusive: bool) -> BoolArray:
    rule = _overlap_own_area if matching == 'iou' else HIT_RULES[matching]
    inside = np.zeros(len(flat.scores), dtype=bool)
    inside[_hits(flat, rule, iou_thr, inclusive, ignored=True).detection] = True
    return inside


def _areas(boxes: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    size = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    intersection = np.clip(size, 0, None).prod(axis=1)
    return intersection, (boxes[:, 2:] - boxes[:, :2]).prod(axis=1), (others[:, 2:] - others[:, :2]).prod(axis=1)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
