"""Whether detections of two views were taken for one lesion where they are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmmammo.evaluation.functional.matching import match_images
from mmmammo.structures import ImagePrediction, LesionPair, MammoError, pair_views


@dataclass(frozen=True)
class LesionMatching:
    """How well the true-positive detections of CC and MLO views were paired.

    Args:
        precision: Of the pairs of two true positives, the share that is one lesion; ``nan`` if there are none.
        recall: Of the lesions found in both views, the share whose detections are paired; ``nan`` if there are none.
        accuracy: Of the true positives in views with a partner, the share with the right answer: paired with the
            lesion's detection in the other view, or with nothing where the lesion was not found there; ``nan`` if there
            are none.
        n_pairs: Lesions found in both views.
        n_predicted: Pairs of two true positives.
        n_detections: True positives in views with a partner.
    """

    precision: float
    recall: float
    accuracy: float
    n_pairs: int
    n_predicted: int
    n_detections: int


def lesion_matching(
    images: Sequence[ImagePrediction],
    pairs: Sequence[LesionPair],
    matching: str = 'iou',
    iou_thr: float = 0.2,
    score_thr: float = 0.0,
    qualities: Sequence[float] | None = None,
) -> LesionMatching:
    """Score pairs against the lesions' ids.

    A detection is a true positive if it found a lesion that has an id. Only images that are partners of each other
    (docs/conventions.md) count: other projections do not, nor repeats but the best one.

    Args:
        images: Truth with ``gt_lesion_ids``, and detections.
        pairs: Of detections of these images.
        matching: How detections find lesions, see :func:`~mmmammo.evaluation.functional.match_detections`.
        iou_thr: Likewise.
        score_thr: Detections below it, which were not offered for pairing, are none.
        qualities: One per image: of repeats the best one is the partner; by default the first one.

    Raises:
        MammoError: If a pair names an image or a detection that is not there.
    """
    lesion_of = _found_lesions(images, matching, iou_thr, score_thr)
    partner = _partners(images, qualities)
    _check(pairs, {image.image_id: len(image.boxes) for image in images})
    ends = [((p.image_id, p.detection), (p.other_image_id, p.other_detection)) for p in pairs]
    ends = [pair for pair in ends if partner.get(pair[0][0]) == pair[1][0] and partner.get(pair[1][0]) == pair[0][0]]
    answer = dict([*ends, *(pair[::-1] for pair in ends)])
    asked = [end for end in lesion_of if end[0] in partner]
    by_lesion = {(image_id, lesion_of[image_id, i]): (image_id, i) for image_id, i in asked}
    wanted = {end: by_lesion.get((partner[end[0]], lesion_of[end])) for end in asked}
    predicted = [pair for pair in ends if pair[0] in wanted and pair[1] in wanted]
    in_both = [end for end in asked if wanted[end] is not None]
    return LesionMatching(
        precision=_mean([wanted[one] == other for one, other in predicted]),
        recall=_mean([answer.get(end) == wanted[end] for end in in_both]),
        accuracy=_mean([answer.get(end) == wanted[end] for end in asked]),
        n_pairs=len(in_both) // 2,
        n_predicted=len(predicted),
        n_detections=len(asked),
    )


def _found_lesions(
    images: Sequence[ImagePrediction], matching: str, iou_thr: float, score_thr: float
) -> dict[tuple[Any, int], str]:
    """(image, detection) -> id of the lesion it found; lesions without id are left out."""
    matches = match_images(images, matching=matching, iou_thr=iou_thr)
    first = np.cumsum([0, *(len(image.boxes) for image in images)])
    first_lesion = np.cumsum([0, *(len(image.gt_boxes) for image in images)])
    found = {}
    for row in np.flatnonzero(matches.is_true_positive & (matches.scores >= score_thr)):
        at = int(matches.image[row])
        image, lesion = images[at], int(matches.lesion[row] - first_lesion[at])
        name = image.gt_lesion_ids[lesion] if image.gt_lesion_ids else ''
        if name:
            found[image.image_id, int(matches.detection[row] - first[at])] = name
    return found


def _partners(images: Sequence[ImagePrediction], qualities: Sequence[float] | None) -> dict[Any, Any]:
    """Image -> the other view of the breast, of images that are each other's partner."""
    ipsilateral, _ = pair_views(
        [image.exam_id for image in images],
        [image.laterality for image in images],
        [image.view for image in images],
        qualities,
    )
    mutual = (ipsilateral >= 0) & (ipsilateral[ipsilateral] == np.arange(len(images)))
    return {images[i].image_id: images[ipsilateral[i]].image_id for i in np.flatnonzero(mutual)}


def _check(pairs: Sequence[LesionPair], num_detections: dict[Any, int]) -> None:
    for pair in pairs:
        for image_id, detection in ((pair.image_id, pair.detection), (pair.other_image_id, pair.other_detection)):
            if not 0 <= detection < num_detections.get(image_id, 0):
                raise MammoError(
                    f'image {image_id}',
                    field='pairs',
                    found=f'detection {detection}',
                    expected=f'0 to {num_detections.get(image_id, 0) - 1}, the detections of this image',
                    remedy='give the pairs of these very detections',
                )


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float('nan')
