"""Which detection found which lesion.

The rule is greedy by score: detections are taken from the highest score down, and each takes the lesion it hits best
among those not yet taken. What *hit* means is a named rule (:mod:`~mmmammo.evaluation.functional.hit_rules`).

No loop runs over images or detections. Only the pairs that hit are kept, usually a few per lesion, and they are
resolved in rounds: a detection may take the lesion it likes best as soon as nobody with a higher score could still
want it. Every round serves at least one lesion of every image, so there are at most as many rounds as lesions in the
fullest image, and the outcome is that of the sequential rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mmmammo.evaluation.functional.hit_rules import HitRule, HitTest, ignored_test, lesion_test
from mmmammo.evaluation.functional.inputs import BoolArray, FlatBoxes, FloatArray, IntArray, flatten_images
from mmmammo.evaluation.functional.matches import Matches
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
        preference: (p,) decides between several boxes that one detection hits; the greater, the better.
    """

    detection: IntArray
    box: IntArray
    preference: FloatArray

    def select(self, which: BoolArray | IntArray) -> Pairs:
        """Some of the pairs, by mask or index."""
        return Pairs(self.detection[which], self.box[which], self.preference[which])


def match_detections(
    flat: FlatBoxes,
    matching: str = 'iou',
    iou_thr: float = 0.2,
    duplicates: str = 'false_positive',
    *,
    inclusive: bool = False,
    distance_mm: float | None = None,
    set_aside: BoolArray | None = None,
) -> Matches:
    """Match the detections of all images to their lesions, greedily by score.

    Args:
        flat: The boxes of all images.
        matching: ``'iou'``: the IoU exceeds ``iou_thr``. ``'centre_in_box'``: the centre of the detection lies in the
            lesion's box, its border included. ``'distance'``: the centres of detection and lesion lie at most
            ``distance_mm`` apart; the images need their spacing.
        iou_thr: In [0, 1].
        duplicates: What a further hit on a found lesion is, ``'false_positive'`` or ``'ignore'``.
        inclusive: Whether an IoU equal to ``iou_thr`` is a hit (COCO), or not (paper 3: "IoU > .2").
        distance_mm: For ``'distance'``.
        set_aside: (g,) lesions that do not count, such as those of another size. A detection that hits one, and none
            that counts, does not count either; as for COCO, each excuses one detection.

    A detection without a lesion of its own that lies in an ignored region does not count. As for COCO's crowds, it
    lies in it when its intersection with the region, over its *own* area, passes the same threshold; under the other
    rules, when its centre lies inside.

    Returns:
        The fate of every detection; lesions set aside remain in ``lesion_image``, never found
        (:func:`~mmmammo.evaluation.functional.select_lesions` drops them).

    Raises:
        MammoError: If a rule is unknown, a threshold out of range, or a spacing missing.
    """
    rule = HitRule(matching, iou_thr, inclusive, distance_mm)
    if duplicates not in DUPLICATE_RULES:
        raise MammoError(
            'matching rules',
            field='duplicates',
            found=repr(duplicates),
            expected=f'one of {DUPLICATE_RULES}',
            remedy='correct the name',
        )
    pairs = _hits(lesion_test(rule, flat), flat.image, flat.gt_image, flat.num_images)
    in_region = _hits(ignored_test(rule, flat), flat.image, flat.ignored_image, flat.num_images)
    ignored = np.zeros(len(flat.scores), dtype=bool)
    ignored[in_region.detection] = True
    if set_aside is None:
        lesion = _assign_greedily(pairs, flat)
    else:
        lesion = _assign_greedily(pairs.select(~set_aside[pairs.box]), flat)
        left_over = pairs.select(set_aside[pairs.box] & (lesion[pairs.detection] < 0))
        ignored |= _excused(left_over, in_region, flat)
    if duplicates == 'ignore':
        ignored[pairs.detection] = True
    return _in_falling_order(flat, lesion, ignored)


def match_images(images: Sequence[ImagePrediction], **rules: Any) -> Matches:
    """Match the detections of all images, categories aside.

    Args:
        images: Truth and detections.
        **rules: ``matching``, ``iou_thr``, ``duplicates`` and ``distance_mm`` of :func:`match_detections`.
    """
    return match_detections(flatten_predictions(images), **rules)


def flatten_predictions(images: Sequence[ImagePrediction]) -> FlatBoxes:
    """The boxes of all images as long arrays, categories aside; see :func:`flatten_images`."""
    return flatten_images(
        [(image.boxes, image.scores) for image in images],
        [image.gt_boxes for image in images],
        [image.ignored_boxes for image in images],
        spacing_mm=[image.pixel_spacing_mm for image in images],
    )


def _in_falling_order(flat: FlatBoxes, lesion: IntArray, ignored: BoolArray) -> Matches:
    order, falling = _falling_order(flat.scores)
    return Matches(
        scores=falling,
        detection=order,
        image=flat.image[order],
        lesion=lesion[order],
        ignored=(ignored & (lesion < 0))[order] if ignored.any() else ignored,
        lesion_image=flat.gt_image,
        num_images=flat.num_images,
    )


def _falling_order(scores: FloatArray) -> tuple[IntArray, FloatArray]:
    """Order of falling score, equal scores in input order: a stable sort, at the price of an unstable one.

    Returns:
        The order, and the scores in it.
    """
    order = np.argsort(-scores)
    falling = scores[order]
    same_as_next = falling[1:] == falling[:-1]
    is_tied = np.zeros(len(order), dtype=bool)
    is_tied[:-1] |= same_as_next
    is_tied[1:] |= same_as_next
    tied = np.flatnonzero(is_tied)
    if not len(tied):
        return order, falling
    run_of_ties = np.cumsum(np.diff(falling[tied], prepend=np.inf) != 0)
    order[tied] = np.sort(run_of_ties * len(order) + order[tied]) % len(order)
    return order, falling


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


def _hits(test: HitTest, image: IntArray, other_image: IntArray, num_images: int) -> Pairs:
    """All pairs of one image that pass the test."""
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for detection, box in _image_pairs(image, other_image, num_images):
        near = _touching(test.extent, test.other_extent, detection, box)
        detection, box = detection[near], box[near]
        hit, preference = test.measure(detection, box)
        found.append(Pairs(detection[hit], box[hit], preference[hit]))
    return Pairs(*(np.concatenate([getattr(f, name) for f in found]) for name in ('detection', 'box', 'preference')))


def _touching(boxes: FloatArray, others: FloatArray, left: IntArray, right: IntArray) -> IntArray:
    """Rows whose boxes share at least a border; the few that are left are worth a closer look."""
    beside: BoolArray = (boxes[left, 0] <= others[right, 2]) & (others[right, 0] <= boxes[left, 2])
    rows: IntArray = np.flatnonzero(beside)
    i, j = left[rows], right[rows]
    above: BoolArray = (boxes[i, 1] <= others[j, 3]) & (others[j, 1] <= boxes[i, 3])
    return rows[above]


def _assign_greedily(pairs: Pairs, flat: FlatBoxes) -> IntArray:
    """(d,) lesion of each detection or -1; between equal preference the later lesion, as pycocotools does."""
    lesion = np.full(len(flat.scores), -1, dtype=np.int64)
    taken = np.zeros(len(flat.gt_boxes), dtype=bool)
    suitor = np.empty(len(flat.gt_boxes), dtype=np.int64)
    pairs = pairs.select(np.lexsort((-pairs.box, -pairs.preference, pairs.detection, -flat.scores[pairs.detection])))
    while len(pairs.detection):
        favourite = np.diff(pairs.detection, prepend=-1) != 0
        suitor[pairs.box[::-1]] = pairs.detection[::-1]  # the last write stays: the highest score that hits the box
        settled = pairs.select(favourite & (suitor[pairs.box] == pairs.detection))
        lesion[settled.detection] = settled.box
        taken[settled.box] = True
        pairs = pairs.select(~taken[pairs.box] & (lesion[pairs.detection] < 0))
    return lesion


def _excused(pairs: Pairs, in_region: Pairs, flat: FlatBoxes) -> BoolArray:
    """(d,) detections whose lesion is set aside.

    A detection that lies deeper in an ignored region than it hits the lesion leaves the lesion to others, as
    pycocotools does.
    """
    depth = np.full(len(flat.scores), -np.inf)
    np.maximum.at(depth, in_region.detection, in_region.preference)
    excused: BoolArray = _assign_greedily(pairs.select(pairs.preference > depth[pairs.detection]), flat) >= 0
    return excused
