"""Is one model better than another? Differences on the same patients, with interval and p-values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.bootstrap import (
    Interval,
    check_resampling,
    percentile_interval,
    resampled_counts,
    resampled_rows,
    weight_batches,
)
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray

_ROUNDING = 1e-12  # differences closer than this are the same number, reached by sums in another order


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """First model minus second, one entry per number that the statistic returns.

    Args:
        first: The statistic of the first model.
        second: Of the second.
        difference: Their difference with its interval.
        p_bootstrap: Two-sided: twice the share of replicates on the other side of 0. Nan where the interval is.
        p_permutation: Two-sided: the share of permutations that differ at least as much as the models do. Nan where
            the difference is undefined.
    """

    first: FloatArray
    second: FloatArray
    difference: Interval
    p_bootstrap: FloatArray
    p_permutation: FloatArray


def paired_difference(
    fn: Callable[[IntArray], npt.ArrayLike],
    groups: npt.ArrayLike,
    n: int = 2000,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """Compare two models that scored the same rows, by any statistic.

    Lay the rows of both models end to end: row ``i`` as the first model scored it, row ``rows + i`` as the second did.
    ``fn`` takes indices into that list, for example, with ``scores = np.append(first, second)`` and
    ``labels = np.tile(labels, 2)``, ``lambda i: auc(labels[i], scores[i])``.

    The bootstrap draws whole groups, the same for both models. The permutation test exchanges the models in each group
    with a chance of one half; a statistic that compares scores of different groups (AUC, a threshold) then mixes the
    scores of two models, so bring them to one scale before: :func:`rank_scores` does.

    Args:
        fn: Takes indices as above and returns a number or an array (k,) of them.
        groups: (rows,) the group (patient) of each row.
        n: Bootstrap replicates, and as many permutations.
        level: Coverage of the interval, in (0, 1).
        seed: The same seed gives the same result.

    Raises:
        MammoError: If there are no rows, or ``n`` or ``level`` is out of range.
    """
    labels = np.asarray(groups)
    check_resampling('paired_difference', labels, n, level)
    rows = len(labels)

    def read(indices: IntArray) -> FloatArray:
        return np.asarray(fn(indices), dtype=np.float64)

    bootstrap = np.stack([read(drawn) - read(drawn + rows) for drawn in resampled_rows(labels, n, seed)])
    every = np.arange(rows)
    permuted = np.stack(
        [read(every + rows * swap) - read(every + rows * ~swap) for swap in swapped_groups(labels, n, seed)]
    )
    return paired_result((read(every), read(every + rows)), bootstrap, permuted, level, len(np.unique(labels)))


def weighted_paired_difference(
    read: Callable[[FloatArray], npt.ArrayLike],
    groups: npt.ArrayLike,
    n: int = 2000,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """The comparison of :func:`paired_difference`, by a statistic that takes many replicates at once, as weights.

    Args:
        read: Takes (r, 2 rows) how often each row occurs in each of r replicates, as the first model scored it and then
            as the second did, and returns (r, k) numbers.
        groups: (rows,) the group (patient) of each row.
        n: Bootstrap replicates, and as many permutations.
        level: Coverage of the interval, in (0, 1).
        seed: The same seed gives the same draws and exchanges here and in :func:`paired_difference`.

    Raises:
        MammoError: If there are no rows, or ``n`` or ``level`` is out of range.
    """
    labels = np.asarray(groups)
    check_resampling('weighted_paired_difference', labels, n, level)

    def both(first: FloatArray, second: FloatArray) -> FloatArray:
        return np.asarray(read(np.concatenate([first, second], axis=1)), dtype=np.float64)

    def differences(pairs: Iterator[tuple[FloatArray, FloatArray]]) -> FloatArray:
        return np.concatenate([both(one, other) - both(other, one) for one, other in pairs])

    every, none = np.ones((1, len(labels))), np.zeros((1, len(labels)))
    estimates = both(every, none)[0], both(none, every)[0]
    drawn = weight_batches(resampled_counts(labels, n, seed))
    bootstrap = differences((one, np.zeros_like(one)) for one in drawn)
    kept = weight_batches(~swap for swap in swapped_groups(labels, n, seed))
    permuted = differences((one, 1 - one) for one in kept)
    return paired_result(estimates, bootstrap, permuted, level, len(np.unique(labels)))


def rank_scores(scores: npt.ArrayLike) -> FloatArray:
    """Scores as average ranks in (0, 1): a scale that two models share. AUC and FROC of one model do not change.

    Args:
        scores: (n,) of one model, on all rows.
    """
    values = np.asarray(scores, dtype=np.float64)
    ordered = np.sort(values)
    below, up_to = (np.searchsorted(ordered, values, side=side) for side in ('left', 'right'))
    ranks: FloatArray = (below + up_to) / (2 * max(len(values), 1))
    return ranks


def swapped_groups(groups: npt.NDArray[Any], n: int, seed: int) -> Iterator[BoolArray]:
    """(rows,) whether the two models are exchanged in the row's group, for each permutation."""
    labels, group = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng([seed, 1])  # not the stream of the bootstrap
    for _ in range(n):
        yield (rng.random(len(labels)) < 0.5)[group]


def paired_result(
    estimates: tuple[FloatArray, FloatArray], bootstrap: FloatArray, permuted: FloatArray, level: float, n_groups: int
) -> PairedDifference:
    """Interval and p-values from the differences of replicates and permutations.

    Args:
        estimates: The statistic of the first and of the second model.
        bootstrap: (n, *shape) differences of the replicates; nan where undefined.
        permuted: (n, *shape) of the permutations; nan where undefined.
        level: Coverage, in (0, 1).
        n_groups: Groups that were resampled.
    """
    first, second = (np.asarray(estimate, dtype=np.float64) for estimate in estimates)
    difference = percentile_interval(first - second, bootstrap, level, n_groups)
    return PairedDifference(
        first=first,
        second=second,
        difference=difference,
        p_bootstrap=np.where(np.isnan(difference.low), np.nan, _p_bootstrap(bootstrap)),
        p_permutation=np.where(np.isnan(first - second), np.nan, _p_permutation(first - second, permuted)),
    )


def _p_bootstrap(differences: FloatArray) -> FloatArray:
    """The level at which the percentile interval just touches 0; never 0, as finite draws cannot show that."""
    n = np.isfinite(differences).sum(axis=0)
    tails = [(differences <= _ROUNDING).sum(axis=0), (differences >= -_ROUNDING).sum(axis=0)]
    p: FloatArray = np.minimum(2 * (np.minimum(*tails) + 1) / (n + 1), 1.0)
    return p


def _p_permutation(observed: FloatArray, permuted: FloatArray) -> FloatArray:
    """The models themselves count as one of the permutations, so the p-value is valid and never 0."""
    n = np.isfinite(permuted).sum(axis=0)
    p: FloatArray = ((np.abs(permuted) >= np.abs(observed) - _ROUNDING).sum(axis=0) + 1) / (n + 1)
    return p
