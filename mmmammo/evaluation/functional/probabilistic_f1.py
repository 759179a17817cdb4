"""Probabilistic F1 (pF1) of the RSNA screening competition, and ordinary F1 at a threshold.

    pTP = sum of p over positives          pPrecision = pTP / (pTP + pFP)
    pFP = sum of p over negatives          pRecall    = pTP / number of positives

Table 2 of paper 2 prints, under the name of pF1, the best *ordinary* F1 over 100 thresholds, ``p > t``: that
is ``best_binarised_f1(labels, probs, RSNA_THRESHOLDS, inclusive=False)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.labelled_scores import finite_scores, labelled_scores, option
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.threshold_sweep import threshold_sweep

RSNA_THRESHOLDS: FloatArray = np.linspace(0, 1, 100, dtype=np.float64)
"""The thresholds tried by paper 2."""


@dataclass(frozen=True)
class BestF1:
    """The best F-beta over thresholds. Chosen on the rows it is computed on, so it is too good to be reported alone.

    Args:
        value: The F-beta.
        threshold: The highest of the thresholds that reach it.
    """

    value: Reading
    threshold: Reading


def probabilistic_f1(labels: npt.ArrayLike, probs: npt.ArrayLike, beta: float = 1.0, *, clip: bool = False) -> Reading:
    """pF-beta of probabilities that are not thresholded.

    The competition scores one row per breast: aggregate the views first (mean is usual,
    :func:`~mmmammo.evaluation.functional.aggregation.breast_scores`).

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1].
        beta: Weight of recall against precision, greater than 0.
        clip: Cut scores to [0, 1] as Kaggle's grader does, instead of refusing those outside.

    Returns:
        0 when precision or recall is 0, all probabilities 0 included (pRecall is then 0). Without positives pRecall
        is undefined, and so is the score: nan with its reason, where the competition's grader gives 0.

    Raises:
        MammoError: On malformed labels, probabilities or beta.
    """
    _check_beta('probabilistic_f1', beta)
    if clip:
        probs = np.clip(finite_scores('probabilistic_f1', probs, 'probs'), 0, 1)
    is_positive, values = labelled_scores('probabilistic_f1', labels, probs, probabilities=True)
    if not is_positive.any():
        return Reading.undefined('no positive label')
    true_positives, called = values[is_positive].sum(), values.sum()
    if true_positives == 0:
        return Reading(0.0)
    return Reading(float((1 + beta**2) * true_positives / (beta**2 * is_positive.sum() + called)))


def binarised_f1(
    labels: npt.ArrayLike, probs: npt.ArrayLike, threshold: float, beta: float = 1.0, *, inclusive: bool = True
) -> Reading:
    """Ordinary F-beta of ``probs >= threshold``.

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1].
        threshold: Chosen elsewhere (:mod:`~mmmammo.evaluation.functional.operating_point`).
        beta: Weight of recall against precision.
        inclusive: ``False`` for ``probs > threshold``.

    Returns:
        0 when no call is right; nan with its reason without positives.

    Raises:
        MammoError: On malformed labels, probabilities, threshold or beta.
    """
    return best_binarised_f1(labels, probs, [threshold], beta, inclusive=inclusive).value


def best_binarised_f1(
    labels: npt.ArrayLike,
    probs: npt.ArrayLike,
    thresholds: npt.ArrayLike | None = None,
    beta: float = 1.0,
    *,
    inclusive: bool = True,
) -> BestF1:
    """The best F-beta over thresholds.

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1].
        thresholds: (t,) to try; by default every one that makes a difference.
        beta: Weight of recall against precision.
        inclusive: ``False`` for ``probs > threshold``.

    Raises:
        MammoError: On malformed labels, probabilities, thresholds or beta.
    """
    _check_beta('binarised_f1', beta)
    sweep = threshold_sweep(*labelled_scores('binarised_f1', labels, probs, probabilities=True))
    if not sweep.n_positive:
        return BestF1(*[Reading.undefined('no positive label')] * 2)
    tried = sweep.thresholds[1:] if thresholds is None else finite_scores('binarised_f1', thresholds, 'thresholds')
    option('binarised_f1', 'thresholds', 'none', 'at least one', good=len(tried) > 0)
    falling = np.sort(tried)[::-1]
    scores = sweep.at(falling if inclusive else np.nextafter(falling, np.inf)).f_score(beta)
    best = int(np.argmax(scores))
    return BestF1(Reading(float(scores[best])), Reading(float(falling[best])))


def _check_beta(where: str, beta: float) -> None:
    option(where, 'beta', beta, 'a number greater than 0', good=bool(np.isfinite(beta)) and beta > 0)
