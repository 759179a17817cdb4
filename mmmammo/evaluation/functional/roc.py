"""ROC curve and what is read off it. Only thresholds that exist are reported: nothing is interpolated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.auc import rank_auc
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, one_class_reason, option
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.threshold_sweep import threshold_sweep


@dataclass(frozen=True, eq=False)
class ROCCurve:
    """One point per distinct score, from the highest down; the first is (0, 0) with an infinite threshold.

    Args:
        false_positive_rate: (t,) ``1 - specificity``, never falling; nan without negatives.
        sensitivity: (t,) never falling; nan without positives.
        thresholds: (t,) rows with ``score >= threshold`` are called positive.
        n_positive: Rows labelled 1.
        n_negative: Rows labelled 0.
        reason: Why a rate is nan, or ``None``.
    """

    false_positive_rate: FloatArray
    sensitivity: FloatArray
    thresholds: FloatArray
    n_positive: int
    n_negative: int
    reason: str | None = None


@dataclass(frozen=True)
class ROCPoint:
    """One point of a ROC curve.

    Args:
        sensitivity: At the threshold.
        specificity: At the threshold.
        threshold: Rows with ``score >= threshold`` are called positive; infinite: none is.
    """

    sensitivity: Reading
    specificity: Reading
    threshold: Reading


def roc_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> ROCCurve:
    """Sweep the threshold; rows of equal score enter together, as one slanted step.

    Raises:
        MammoError: On malformed labels or scores.
    """
    is_positive, values = labelled_scores('roc_curve', labels, scores)
    sweep = threshold_sweep(is_positive, values)
    return ROCCurve(
        false_positive_rate=sweep.false_positive_rate,
        sensitivity=sweep.sensitivity,
        thresholds=sweep.thresholds,
        n_positive=sweep.n_positive,
        n_negative=sweep.n_negative,
        reason=one_class_reason(is_positive),
    )


def sensitivity_at_specificity(labels: npt.ArrayLike, scores: npt.ArrayLike, specificity: float) -> ROCPoint:
    """The greatest sensitivity among the thresholds whose specificity is at least this.

    A tied score is taken whole or not at all, so the specificity reached may lie above the one asked for. At the
    least, nothing is called: sensitivity 0 and an infinite threshold.

    Raises:
        MammoError: On malformed labels or scores, or a specificity outside [0, 1].
    """
    return _point('sensitivity_at_specificity', 'specificity', labels, scores, specificity)


def specificity_at_sensitivity(labels: npt.ArrayLike, scores: npt.ArrayLike, sensitivity: float) -> ROCPoint:
    """The greatest specificity among the thresholds whose sensitivity is at least this.

    Raises:
        MammoError: On malformed labels or scores, or a sensitivity outside [0, 1].
    """
    return _point('specificity_at_sensitivity', 'sensitivity', labels, scores, sensitivity)


def partial_auc(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    max_fpr: float | None = None,
    min_sensitivity: float | None = None,
    standardised: bool = True,
) -> Reading:
    """Area of the part of the ROC plane that matters; exactly one limit is given.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite, on any scale.
        max_fpr: Area under the curve left of this false positive rate, in (0, 1].
        min_sensitivity: Area to the right of the curve above this sensitivity, in [0, 1).
        standardised: McClish's scale: 0.5 for chance, 1 for perfect. Otherwise the raw area, at most ``max_fpr`` or
            ``1 - min_sensitivity``.

    Returns:
        nan with its reason when a class is missing.

    Raises:
        MammoError: On malformed labels or scores, or a limit out of range.
    """
    limits = [limit for limit in (max_fpr, min_sensitivity) if limit is not None]
    option('partial_auc', 'limits', limits, 'either max_fpr or min_sensitivity', good=len(limits) == 1)
    width = max_fpr if max_fpr is not None else 1 - limits[0]
    option('partial_auc', 'limit', limits[0], 'max_fpr in (0, 1] or min_sensitivity in [0, 1)', good=0 < width <= 1)
    is_positive, values = labelled_scores('partial_auc', labels, scores)
    reason = one_class_reason(is_positive)
    if reason:
        return Reading.undefined(reason)
    if max_fpr is None:  # with the classes and the scores turned round, the curve is mirrored at the falling diagonal
        is_positive, values = ~is_positive, -values
    area = _area_up_to(is_positive, values, width)
    chance = width**2 / 2
    return Reading((1 + (area - chance) / (width - chance)) / 2 if standardised else area)


def _area_up_to(is_positive: BoolArray, scores: FloatArray, max_fpr: float) -> float:
    if max_fpr == 1:
        return rank_auc(is_positive, scores)
    sweep = threshold_sweep(is_positive, scores)
    x, y = sweep.false_positive_rate, sweep.sensitivity
    inside = x <= max_fpr
    end = np.interp(max_fpr, x, y)
    return float(np.trapezoid(np.append(y[inside], end), np.append(x[inside], max_fpr)))


def _point(where: str, held: str, labels: npt.ArrayLike, scores: npt.ArrayLike, at_least: float) -> ROCPoint:
    option(where, held, at_least, 'a number in [0, 1]', good=0 <= at_least <= 1)
    is_positive, values = labelled_scores(where, labels, scores)
    reason = one_class_reason(is_positive)
    if reason:
        return ROCPoint(*[Reading.undefined(reason)] * 3)
    sweep = threshold_sweep(is_positive, values)
    if held == 'specificity':  # falls along the sweep: the last that will do
        row = int(np.flatnonzero(sweep.specificity >= at_least)[-1])
        row = int(np.argmax(sweep.true_positives == sweep.true_positives[row]))
    else:  # rises: the first that will do
        row = int(np.argmax(sweep.sensitivity >= at_least))
    return ROCPoint(
        Reading(float(sweep.sensitivity[row])),
        Reading(float(sweep.specificity[row])),
        Reading(float(sweep.thresholds[row])),
    )
