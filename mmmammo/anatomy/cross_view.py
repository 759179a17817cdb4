"""Look at every detection in the other views of its exam, as radiologists do.

A lesion is seen in both projections of its breast, overlapping tissue in one only; normal tissue is often seen at the
same place of both breasts, a lesion hardly ever. What the partner views show at the place of a detection is the best of
their detections there, ``score * compatibility``; the compatibility is the likelihood ratio of
:mod:`mmmammo.anatomy.lesion_matching` as a share of its greatest value, so that it is 1 where place and size agree
exactly. What that is worth is fitted: :class:`mmmammo.evaluation.functional.CrossViewWeights`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.lesion_matching import DEPTH, LOG_SIZE, OFFSET, mirror_log_odds, pair_log_odds
from mmmammo.structures import CrossViewEvidence, ImagePrediction, pair_views

FloatArray = npt.NDArray[np.float64]
LogOdds = Callable[..., FloatArray]

_MOST_OF_PAIR = float(DEPTH.log_odds(np.zeros(())) + LOG_SIZE.log_odds(np.zeros(())))
_MOST_OF_MIRROR = float(_MOST_OF_PAIR + OFFSET.log_odds(np.zeros(())))


def cross_view_evidence(images: Sequence[ImagePrediction]) -> list[CrossViewEvidence]:
    """What each detection has for itself and in its partner views.

    Partners follow docs/conventions.md; of repeats the one with the surest landmarks is the partner. An image without
    landmarks neither has nor is a partner, nor is one without exam. Classes are not compared.

    Args:
        images: Detections with landmarks, of any number of exams.

    Returns:
        One per image, in the order of its detections.
    """
    exams = [image.exam_id or f'no exam {i}' for i, image in enumerate(images)]
    sides = [image.laterality for image in images]
    views = [image.view if image.landmarks is not None else 'UNKNOWN' for image in images]
    sureness = [0.0 if image.landmarks is None else image.landmarks.confidence for image in images]
    ipsilateral, contralateral = pair_views(exams, sides, views, sureness)
    return [
        CrossViewEvidence(
            own=image.scores,
            ipsilateral=_found(image, None if i < 0 else images[i], pair_log_odds, _MOST_OF_PAIR),
            contralateral=_found(image, None if c < 0 else images[c], mirror_log_odds, _MOST_OF_MIRROR),
        )
        for image, i, c in zip(images, ipsilateral.tolist(), contralateral.tolist(), strict=True)
    ]


def rescored(
    images: Sequence[ImagePrediction], weigh: Callable[[CrossViewEvidence], FloatArray]
) -> list[ImagePrediction]:
    """The same detections with other scores.

    Args:
        images: Detections with landmarks, of any number of exams; see :func:`cross_view_evidence`.
        weigh: From the evidence of an image to its scores: ``CrossViewWeights.apply``.
    """
    evidence = cross_view_evidence(images)
    return [replace(image, scores=weigh(found)) for image, found in zip(images, evidence, strict=True)]


def _found(image: ImagePrediction, partner: ImagePrediction | None, log_odds: LogOdds, most: float) -> FloatArray:
    """(n,) the best of the partner's detections at the place of each; 0 without any, nan without partner."""
    if partner is None:
        return np.full(len(image.scores), np.nan)
    odds = log_odds(image.boxes, partner.boxes, image.landmarks, partner.landmarks)
    return np.asarray((np.exp(odds - most) * partner.scores).max(axis=1, initial=0.0))
