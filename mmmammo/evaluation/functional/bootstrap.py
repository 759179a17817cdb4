"""Confidence intervals by resampling patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.structures import MammoError

_REPLICATES_AT_ONCE = 250


@dataclass(frozen=True, eq=False)
class Interval:
    """An estimate and its percentile interval; one entry per number that the statistic returns.

    Args:
        estimate: The statistic of the sample itself.
        low: Lower bound; nan where undefined.
        high: Upper bound; nan where undefined.
        level: Coverage aimed at, e.g. 0.95.
        n_groups: Groups resampled (patients).
        n_replicates: Replicates drawn.
        n_undefined: Replicates in which the statistic was nan; they are left out of the interval.
        reason: Why a bound is nan, or ``None``.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    n_groups: int
    n_replicates: int
    n_undefined: IntArray
    reason: str | None = None


def bootstrap_ci(
    fn: Callable[[IntArray], npt.ArrayLike],
    groups: npt.ArrayLike,
    n: int = 1000,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic, with whole groups drawn with replacement.

    The images of one patient are alike, so resampling images would make the interval too narrow: give the patient of
    each image as ``groups``.

    Args:
        fn: Takes row indices, in which the rows of a group drawn twice occur twice, and returns a number or an array
            (k,) of them. ``fn(np.arange(rows))`` must be the estimate. A statistic of counts may turn the indices into
            weights with ``np.bincount``.
        groups: (rows,) label of the group of each row.
        n: Replicates.
        level: Coverage, in (0, 1).
        seed: The same seed gives the same interval.

    Raises:
        MammoError: If there are no rows, or ``n`` or ``level`` is out of range.
    """
    labels = np.asarray(groups)
    check_resampling('bootstrap_ci', labels, n, level)
    estimate = np.asarray(fn(np.arange(len(labels))), dtype=np.float64)
    replicates = np.stack([np.asarray(fn(rows), dtype=np.float64) for rows in resampled_rows(labels, n, seed)])
    return percentile_interval(estimate, replicates, level, len(np.unique(labels)))


def weighted_bootstrap_ci(
    read: Callable[[FloatArray], npt.ArrayLike],
    groups: npt.ArrayLike,
    n: int = 1000,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of :func:`bootstrap_ci`, of a statistic that takes many replicates at once, as weights.

    Args:
        read: Takes (r, rows) how often each row occurs in each of r replicates, and returns (r, k) numbers.
        groups: (rows,) label of the group of each row.
        n: Replicates.
        level: Coverage, in (0, 1).
        seed: The same seed gives the same draws here and in :func:`bootstrap_ci`.

    Raises:
        MammoError: If there are no rows, or ``n`` or ``level`` is out of range.
    """
    labels = np.asarray(groups)
    check_resampling('weighted_bootstrap_ci', labels, n, level)
    estimate = np.asarray(read(np.ones((1, len(labels)))), dtype=np.float64)[0]
    replicates = np.concatenate([np.asarray(read(part)) for part in weight_batches(resampled_counts(labels, n, seed))])
    return percentile_interval(estimate, replicates, level, len(np.unique(labels)))


def weight_batches(weights: Iterable[npt.NDArray[Any]]) -> Iterator[FloatArray]:
    """(r, rows) weights of several replicates together, from those of each, in order."""
    rest = iter(weights)
    while batch := list(islice(rest, _REPLICATES_AT_ONCE)):
        yield np.stack(batch).astype(np.float64)


def percentile_interval(estimate: FloatArray, replicates: FloatArray, level: float, n_groups: int) -> Interval:
    """The interval between two quantiles of the replicates.

    Args:
        estimate: The statistic of the sample, any shape.
        replicates: (n, *that shape) the same of each replicate; nan where undefined.
        level: Coverage, in (0, 1).
        n_groups: Groups that were resampled. A single one has no spread, so its bounds are nan.
    """
    n = len(replicates)
    undefined = np.isnan(replicates).sum(axis=0)
    bounds, reason = np.full((2, *estimate.shape), np.nan), None
    defined = undefined < n
    if n_groups < 2:
        reason = 'a single group has no spread'
    elif not defined.all():
        reason = 'undefined in every replicate'
    if n_groups > 1 and defined.any():
        tail = (1 - level) / 2
        bounds[:, defined] = np.nanquantile(replicates[:, defined], [tail, 1 - tail], axis=0)
    return Interval(estimate, bounds[0], bounds[1], level, n_groups, n, undefined, reason)


def resampled_rows(groups: npt.NDArray[Any], n: int, seed: int) -> Iterator[IntArray]:
    """Row indices of each replicate; the rows of a group drawn twice occur twice.

    Args:
        groups: (rows,) label of the group of each row.
        n: Replicates.
        seed: The same seed gives the same draws here and in :func:`resampled_counts`.
    """
    _, group = np.unique(groups, return_inverse=True)
    rows = np.argsort(group, kind='stable')
    size = np.bincount(group)
    first = np.cumsum(size) - size
    for drawn in _drawn_groups(len(size), n, seed):
        width = size[drawn]
        begin = np.cumsum(width) - width
        yield rows[np.arange(width.sum()) - np.repeat(begin - first[drawn], width)]


def resampled_counts(groups: npt.NDArray[Any], n: int, seed: int) -> Iterator[IntArray]:
    """(rows,) how often each row occurs in each replicate, for statistics of weighted counts.

    Args:
        groups: (rows,) label of the group of each row.
        n: Replicates.
        seed: The same seed gives the same draws here and in :func:`resampled_rows`.
    """
    labels, group = np.unique(groups, return_inverse=True)
    for drawn in _drawn_groups(len(labels), n, seed):
        yield np.bincount(drawn, minlength=len(labels))[group]


def check_resampling(where: str, groups: npt.NDArray[Any], n: int, level: float) -> None:
    """Refuse what cannot be resampled.

    Raises:
        MammoError: If there are no rows, or ``n`` or ``level`` is out of range.
    """
    for field, found, good, expected in (
        ('groups', f'shape {groups.shape}', groups.ndim == 1 and len(groups) > 0, '(rows,) with at least one row'),
        ('n', n, n >= 1, 'at least 1'),
        ('level', level, 0 < level < 1, 'between 0 and 1, e.g. 0.95'),
    ):
        if not good:
            raise MammoError(where, field=field, found=found, expected=expected, remedy='correct the argument')


def _drawn_groups(num_groups: int, n: int, seed: int) -> Iterator[IntArray]:
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield rng.integers(num_groups, size=num_groups)
