"""Variance of the AUC without resampling, after DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988).

Every positive i has the component V10_i, the share of negatives that score below it (ties one half); every negative j
has V01_j, the share of positives above it. Their covariances over n1 positives and n0 negatives give

    cov(AUC_a, AUC_b) = cov(V10_a, V10_b) / n1 + cov(V01_a, V01_b) / n0.

The components come from mid-ranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014), so the cost is that of
sorting instead of n1 x n0 comparisons. The rows must be independent: one per woman. For the breasts or images of the
same women resample patients instead (:func:`~mmmammo.evaluation.functional.bootstrap.bootstrap_ci`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import finite_scores, labelled_scores, option, same_length
from mmmammo.evaluation.functional.reading import Reading

INTERVAL_SCALES = ('logit', 'linear')
"""On which scale the interval is symmetric. ``'logit'`` stays inside (0, 1) and covers better near 1."""


@dataclass(frozen=True)
class AUCInterval:
    """An AUC with its DeLong interval.

    Args:
        auc: The estimate.
        standard_error: On the scale of the AUC.
        low: Lower bound, in [0, 1].
        high: Upper bound, in [0, 1].
        level: Coverage aimed at.
        n_positive: Rows labelled 1.
        n_negative: Rows labelled 0.
    """

    auc: Reading
    standard_error: Reading
    low: Reading
    high: Reading
    level: float
    n_positive: int
    n_negative: int


@dataclass(frozen=True)
class AUCComparison:
    """Two models scored on the same rows.

    Args:
        auc_a: Of the first.
        auc_b: Of the second.
        difference: ``auc_a - auc_b``.
        standard_error: Of the difference; the correlation of the two is accounted for.
        low: Lower bound of the difference.
        high: Upper bound of the difference.
        z: Difference over its standard error.
        p_value: Two-sided.
        level: Coverage aimed at.
        n_positive: Rows labelled 1.
        n_negative: Rows labelled 0.
    """

    auc_a: Reading
    auc_b: Reading
    difference: Reading
    standard_error: Reading
    low: Reading
    high: Reading
    z: Reading
    p_value: Reading
    level: float
    n_positive: int
    n_negative: int


def delong_interval(
    labels: npt.ArrayLike, scores: npt.ArrayLike, level: float = 0.95, scale: str = 'logit'
) -> AUCInterval:
    """AUC with its DeLong interval.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite, on any scale.
        level: Coverage, in (0, 1).
        scale: ``'logit'`` or ``'linear'`` (the usual one, cut at 0 and 1).

    Returns:
        The bounds are nan, with their reason, when a class has fewer than two rows, or when the variance is zero:
        all scores alike or the classes perfectly apart say nothing about the spread.

    Raises:
        MammoError: On malformed labels, scores or options.
    """
    _check_options('delong_interval', level, scale)
    is_positive, values = labelled_scores('delong_interval', labels, scores)
    counts = int(is_positive.sum()), int((~is_positive).sum())
    aucs, covariance, reason = delong_covariance(is_positive, values[None])
    if reason is None and covariance[0, 0] == 0:
        reason = f'AUC {aucs[0]:g} with zero DeLong variance: the sample shows no spread'
    area = _reading(float(aucs[0]), 'needs a positive and a negative label')
    if reason:
        nothing = Reading.undefined(reason)
        return AUCInterval(area, nothing, nothing, nothing, level, *counts)
    error = math.sqrt(covariance[0, 0])
    low, high = _bounds(area, error, level, scale)
    return AUCInterval(area, Reading(error), Reading(low), Reading(high), level, *counts)


def delong_test(
    labels: npt.ArrayLike, scores_a: npt.ArrayLike, scores_b: npt.ArrayLike, level: float = 0.95
) -> AUCComparison:
    """Whether two models, scored on the same rows, differ in AUC.

    Args:
        labels: (n,) 0 or 1.
        scores_a: (n,) of the first model.
        scores_b: (n,) of the second, same rows in the same order; scales may differ.
        level: Coverage of the interval of the difference.

    Returns:
        Undefined parts are nan with their reason; so is the p-value of two models that order every pair alike.

    Raises:
        MammoError: On malformed labels, scores or level.
    """
    _check_options('delong_test', level, 'linear')
    is_positive, first = labelled_scores('delong_test', labels, scores_a)
    second = finite_scores('delong_test', scores_b, 'scores_b')
    same_length('delong_test', labels=is_positive, scores_b=second)
    counts = int(is_positive.sum()), int((~is_positive).sum())
    aucs, covariance, reason = delong_covariance(is_positive, np.stack([first, second]))
    first_auc, second_auc, difference = (
        _reading(float(value), 'needs a positive and a negative label') for value in (*aucs, aucs[0] - aucs[1])
    )
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if reason is None and variance <= 1e-15:  # rounding leaves about 1e-18 of two equal components
        reason = 'the difference has zero DeLong variance: the two models order the rows alike'
    if reason:
        no = Reading.undefined(reason)
        return AUCComparison(first_auc, second_auc, difference, no, no, no, no, no, level, *counts)
    error = math.sqrt(variance)
    z, half = difference / error, float(norm.isf((1 - level) / 2)) * error
    return AUCComparison(
        auc_a=first_auc,
        auc_b=second_auc,
        difference=difference,
        standard_error=Reading(error),
        low=Reading(max(difference - half, -1.0)),
        high=Reading(min(difference + half, 1.0)),
        z=Reading(z),
        p_value=Reading(float(2 * norm.sf(abs(z)))),
        level=level,
        n_positive=counts[0],
        n_negative=counts[1],
    )


def delong_covariance(is_positive: BoolArray, scores: FloatArray) -> tuple[FloatArray, FloatArray, str | None]:
    """AUCs of k models on the same checked rows, and the covariance of these AUCs.

    Args:
        is_positive: (n,).
        scores: (k, n).

    Returns:
        ``(aucs (k,), covariance (k, k), reason)``; ``reason`` says why the covariance is nan, or is ``None``.
    """
    num_models = len(scores)
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    undefined = np.full((num_models, num_models), np.nan)
    if not n_positive or not n_negative:
        return np.full(num_models, np.nan), undefined, 'needs a positive and a negative label'
    positive, negative = scores[:, is_positive], scores[:, ~is_positive]
    rank = rankdata(scores, axis=1)
    v10 = (rank[:, is_positive] - rankdata(positive, axis=1)) / n_negative
    v01 = 1 - (rank[:, ~is_positive] - rankdata(negative, axis=1)) / n_positive
    aucs: FloatArray = v10.mean(axis=1)
    if min(n_positive, n_negative) < 2:
        return aucs, undefined, 'needs two rows of each class'
    shape = num_models, num_models
    covariance = np.cov(v10).reshape(shape) / n_positive + np.cov(v01).reshape(shape) / n_negative
    return aucs, covariance, None


def hanley_mcneil_se(area: float, n_positive: int, n_negative: int) -> float:
    """Standard error of a *published* AUC whose scores are not at hand (Hanley and McNeil, Radiology 143, 1982).

    Args:
        area: The AUC, in [0, 1].
        n_positive: Cases.
        n_negative: Controls.

    Raises:
        MammoError: If a number is out of range.
    """
    option('hanley_mcneil_se', 'area', area, 'a number in [0, 1]', good=0 <= area <= 1)
    counts = n_positive, n_negative
    option('hanley_mcneil_se', '(n_positive, n_negative)', counts, 'at least 1 each', good=min(counts) >= 1)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    return math.sqrt(variance / (n_positive * n_negative))


def _bounds(area: float, error: float, level: float, scale: str) -> tuple[float, float]:
    z = float(norm.isf((1 - level) / 2))
    if scale == 'linear':
        return max(area - z * error, 0.0), min(area + z * error, 1.0)
    centre, half = float(logit(area)), z * error / (area * (1 - area))
    return float(expit(centre - half)), float(expit(centre + half))


def _check_options(where: str, level: float, scale: str) -> None:
    option(where, 'level', level, 'between 0 and 1, e.g. 0.95', good=0 < level < 1)
    option(where, 'scale', scale, f'one of {INTERVAL_SCALES}', good=scale in INTERVAL_SCALES)


def _reading(value: float, reason: str) -> Reading:
    return Reading.undefined(reason) if math.isnan(value) else Reading(value)
