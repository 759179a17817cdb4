"""Whether a score of 0.3 means three in ten: reliability curve, calibration errors, Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, option
from mmmammo.evaluation.functional.reading import Reading

BINNINGS = ('equal_width', 'equal_mass')
"""Bins of equal width over [0, 1], or between quantiles of the probabilities.

In screening nearly all probabilities lie in the first bins of equal width, so the rest of the curve hangs on a few
rows; bins of equal mass have as many rows each, except that equal probabilities stay together.
"""


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Observed frequency against predicted probability, bin by bin. Empty bins stay, as nan.

    Args:
        predicted: (b,) mean probability of the rows of each bin.
        observed: (b,) share of positives among them.
        low: (b,) Wilson 95 % bound of that share.
        high: (b,) the other bound.
        n: (b,) rows.
        edges: (b + 1,) bins are ``(edge, next]``, the first one with its edge.
        expected_error: ECE, mean over the rows of ``|observed - predicted|`` of their bin.
        maximum_error: MCE, the greatest of these gaps.
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray
    edges: FloatArray
    expected_error: Reading
    maximum_error: Reading


def reliability_curve(
    labels: npt.ArrayLike, probs: npt.ArrayLike, bins: int = 10, binning: str = 'equal_width'
) -> ReliabilityCurve:
    """Bin the probabilities and compare.

    The calibration errors depend on the bins and fall with fewer of them: compare only equal binnings, and give them
    beside the Brier score, which has none.

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1].
        bins: Number of bins, at least 1.
        binning: ``'equal_width'`` or ``'equal_mass'``.

    Raises:
        MammoError: On malformed labels, probabilities or options.
    """
    option(
        'reliability_curve', 'bins', bins, 'a whole number, at least 1', good=isinstance(bins, Integral) and bins >= 1
    )
    option('reliability_curve', 'binning', repr(binning), f'one of {BINNINGS}', good=binning in BINNINGS)
    is_positive, values = labelled_scores('reliability_curve', labels, probs, probabilities=True)
    edges: FloatArray = np.linspace(0, 1, bins + 1, dtype=np.float64)
    if binning == 'equal_mass' and len(values):
        edges = np.quantile(values, edges).astype(np.float64)
    row_bin = np.searchsorted(edges[1:-1], values, side='left')
    n = np.bincount(row_bin, minlength=bins)
    predicted = _mean(np.bincount(row_bin, values, minlength=bins), n)
    observed = _mean(np.bincount(row_bin, is_positive, minlength=bins), n)
    gap = np.abs(observed - predicted)[n > 0]
    errors = [Reading.undefined('no row')] * 2
    if len(values):
        errors = [Reading(float(gap @ n[n > 0] / n.sum())), Reading(float(gap.max()))]
    return ReliabilityCurve(predicted, observed, *_wilson(observed, n), n, edges, *errors)


def expected_calibration_error(
    labels: npt.ArrayLike, probs: npt.ArrayLike, bins: int = 10, binning: str = 'equal_width'
) -> Reading:
    """ECE of :func:`reliability_curve`."""
    return reliability_curve(labels, probs, bins, binning).expected_error


def brier_score(labels: npt.ArrayLike, probs: npt.ArrayLike) -> Reading:
    """Mean squared distance of probability and label; 0 is perfect, ``prevalence * (1 - prevalence)`` is no use.

    Raises:
        MammoError: On malformed labels or probabilities.
    """
    is_positive, values = labelled_scores('brier_score', labels, probs, probabilities=True)
    return Reading(float(np.mean((values - is_positive) ** 2))) if len(values) else Reading.undefined('no row')


def _mean(total: npt.NDArray[np.floating | np.integer], n: IntArray) -> FloatArray:
    mean: FloatArray = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    return mean


def _wilson(share: FloatArray, n: IntArray, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Bounds of a share that stay in [0, 1] and have width at 0 and 1."""
    z2 = float(norm.isf((1 - level) / 2)) ** 2
    count = np.where(n > 0, n, np.nan)
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2) * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return centre - half, centre + half
