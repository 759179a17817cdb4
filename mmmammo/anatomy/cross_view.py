"""Look at every detection in the other views of its exam, as radiologists do.

A lesion is seen in both projections of its breast, overlapping tissue in one only; normal tissue is often seen at the
same place of both breasts, a lesion hardly ever. What the partner views show at the place of a detection is the best of
their detections there, ``score * compatibility``; the compatibility is the likelihood ratio of
:mod:`mmmammo.anatomy.lesion_matching` as a share of its greatest value, so that it is 1 where place and size agree
exactly. What that is worth is fitted: :class:`mmmammo.evaluation.functional.CrossViewWeights`.

The other projection shows how deep a lesion lies, not how high, and a lesion there is but one lesion here. Detections
at its depth compete for it: each has the share ``odds * compatibility / sum of the same over all of its image``.
Without that a sure lesion lifts whatever else lies as deep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from mmmammo.anatomy.lesion_matching import DEPTH, LOG_SIZE, OFFSET, mirror_log_odds, pair_log_odds
from mmmammo.structures import CrossViewEvidence, ImagePrediction, pair_views

FloatArray = npt.NDArray[np.float64]
LogOdds = Callable[..., FloatArray]

_MOST_OF_PAIR = float(DEPTH.log_odds(np.zeros(())) + LOG_SIZE.log_odds(np.zeros(())))
_LEAST_ODDS = 1e-6  # scores nearer to 0 or 1 are those
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
            ipsilateral=_found(image, None if i < 0 else images[i], pair_log_odds, _MOST_OF_PAIR, shared=True),
            contralateral=_found(image, None if c < 0 else images[c], mirror_log_odds, _MOST_OF_MIRROR, shared=False),
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


def _found(
    image: ImagePrediction, partner: ImagePrediction | None, log_odds: LogOdds, most: float, shared: bool
) -> FloatArray:
    """(n,) the best of the partner's detections at the place of each; 0 without any, nan without partner."""
    if partner is None:
        return np.full(len(image.scores), np.nan)
    fits = log_odds(image.boxes, partner.boxes, image.landmarks, partner.landmarks) - most
    shares = _shares(image.scores, fits) if shared else 1.0
    return np.asarray((np.exp(fits) * shares * partner.scores).max(axis=1, initial=0.0))


def _shares(scores: FloatArray, fits: FloatArray) -> FloatArray:
    """(n, m) of what each of the partner's m detections shows, the share of each of n; columns sum to 1."""
    sure = np.clip(scores, _LEAST_ODDS, 1 - _LEAST_ODDS)
    return np.asarray(softmax(np.log(sure / (1 - sure))[:, None] + fits, axis=0)) if fits.size else fits
