"""Whether the scores of a new site still look like those that threshold and calibration were chosen on.

A test alone says "moved" of every large sample and never of a small one; an effect alone says nothing about chance.
So a site is reported as moved when both speak, and a site too small to tell is called that. No labels are needed, and
so a changed prevalence looks like a changed model: the scores cannot tell the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.stats import ks_2samp, mannwhitneyu, norm

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.labelled_scores import finite_scores, option
from mmmammo.structures import MammoError


class ShiftVerdict(StrEnum):
    """What the two numbers say together."""

    SAME = 'same'
    SMALL = 'small'
    TOO_FEW = 'too_few'
    MOVED = 'moved'


@dataclass(frozen=True)
class ShiftResult:
    """Scores of a site beside those of the reference.

    Args:
        distance: Kolmogorov-Smirnov: the greatest gap of the two distribution functions, in [0, 1]. It is also the
            most by which the share of rows above any one threshold can have changed.
        p_value: Of that distance, corrected for the number of sites (Holm).
        superiority: Chance that a score of the site exceeds one of the reference, ties one half; 0.5 when level.
        detectable: The distance that samples of these sizes show in nine of ten cases or more, nearly.
        verdict: ``moved``: distance and p-value both matter. ``small``: certain but slight. ``too_few``: may be
            chance, and a distance that matters would be missed. ``same``: otherwise.
        n_reference: Rows of the reference.
        n_site: Rows of the site.
        warning: For the user when the verdict is ``moved`` or ``too_few``, else ``None``.
    """

    distance: float
    p_value: float
    superiority: float
    detectable: float
    verdict: ShiftVerdict
    n_reference: int
    n_site: int
    warning: str | None


def score_shift(
    reference: npt.ArrayLike, site: npt.ArrayLike, *, alpha: float = 0.01, min_distance: float = 0.1
) -> ShiftResult:
    """Compare one site with the reference; arguments as of :func:`score_shifts`."""
    return score_shifts(reference, {'this set': site}, alpha=alpha, min_distance=min_distance)['this set']


def score_shifts(
    reference: npt.ArrayLike,
    sites: Mapping[str, npt.ArrayLike],
    *,
    alpha: float = 0.01,
    min_distance: float = 0.1,
) -> dict[str, ShiftResult]:
    """Compare several sites with the reference.

    Args:
        reference: (n,) scores of the split that threshold or calibration were chosen on; independent rows, best one
            per exam.
        sites: Name -> (m,) scores of the same model, at the same level.
        alpha: The chance, over all sites together, of calling one moved that is not.
        min_distance: The distance from which a shift matters. 0.1: at some threshold the share of recalled exams may
            have changed by ten points.

    Raises:
        MammoError: If a score is not finite, a sample is empty or an option is out of range.
    """
    option('score_shifts', 'alpha', alpha, 'between 0 and 1, e.g. 0.01', good=0 < alpha < 1)
    option('score_shifts', 'min_distance', min_distance, 'in (0, 1)', good=0 < min_distance < 1)
    first = _sample('reference', reference)
    samples = {name: _sample(f'sites[{name!r}]', scores) for name, scores in sites.items()}
    tests = [ks_2samp(first, second) for second in samples.values()]
    corrected = _holm(np.array([test.pvalue for test in tests]))
    return {
        name: _result(name, first, second, float(test.statistic), float(p), alpha, min_distance)
        for (name, second), test, p in zip(samples.items(), tests, corrected, strict=True)
    }


def _result(
    name: str, first: FloatArray, second: FloatArray, distance: float, p: float, alpha: float, min_distance: float
) -> ShiftResult:
    pairs = len(first) * len(second)
    # The critical distance, and what keeps the gap at one threshold (variance at most 1/4) above it nine times in ten.
    spread = np.sqrt((len(first) + len(second)) / pairs)
    detectable = float(spread * (np.sqrt(np.log(2 / alpha) / 2) + norm.ppf(0.9) / 2))
    if p < alpha:
        verdict = ShiftVerdict.MOVED if distance >= min_distance else ShiftVerdict.SMALL
    else:
        verdict = ShiftVerdict.TOO_FEW if detectable > min_distance else ShiftVerdict.SAME
    return ShiftResult(
        distance=distance,
        p_value=p,
        superiority=float(mannwhitneyu(second, first).statistic) / pairs,
        detectable=min(detectable, 1.0),
        verdict=verdict,
        n_reference=len(first),
        n_site=len(second),
        warning=_warning(name, verdict, distance, p, len(first), len(second), min_distance),
    )


def _warning(
    name: str, verdict: ShiftVerdict, distance: float, p: float, n_reference: int, n: int, min_distance: float
) -> str | None:
    if verdict is ShiftVerdict.MOVED:
        return (
            f'the scores of {name} have moved (distance {distance:.2f}, p = {p:.1g}): thresholds and calibration chosen'
            f' elsewhere do not hold here; check windowing and vendor, then choose and calibrate on rows of {name}'
        )
    if verdict is ShiftVerdict.TOO_FEW:
        return (
            f'{n_reference} scores of the reference and {n} of {name} are too few to rule out that the share above '
            f'some threshold has changed by {100 * min_distance:.3g} points'
        )
    return None


def _sample(field: str, scores: npt.ArrayLike) -> FloatArray:
    values = finite_scores('score_shifts', scores, field)
    if not len(values):
        raise MammoError(
            'score_shifts', field=field, found='no score', expected='at least one', remedy='leave the site out'
        )
    return values


def _holm(p_values: FloatArray) -> FloatArray:
    """Step-down correction: the chance of any false alarm stays at alpha."""
    order = np.argsort(p_values, kind='stable')
    factors = len(p_values) - np.arange(len(p_values))
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return corrected
