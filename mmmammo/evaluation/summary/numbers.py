"""Numbers that carry their interval, the data behind them, and why they are undefined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import Interval

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95
"""Coverage of every interval."""
BOOTSTRAP = 'bootstrap of patients'
DELONG = 'DeLong'
NOT_ASKED = 'no interval was asked for'
NO_SPREAD = 'all replicates are equal: too little data to tell a spread'


@dataclass(frozen=True)
class Number:
    """One result.

    Args:
        key: Stable name, e.g. ``'froc/recall@1.00'``; it does not depend on the data.
        name: The same in words.
        value: nan where undefined.
        counts: What stands behind it, e.g. ``{'images': 188, 'patients': 47}``.
        reason: Why the value is nan, or ``None``.
        low: Lower bound of the interval; nan where there is none.
        high: Upper bound.
        level: Coverage of the interval.
        method: How the interval was made.
        no_interval: Why there is none, or ``None``.
    """

    key: str
    name: str
    value: float
    counts: Mapping[str, int]
    reason: str | None = None
    low: float = math.nan
    high: float = math.nan
    level: float = LEVEL
    method: str = BOOTSTRAP
    no_interval: str | None = NOT_ASKED

    def with_bounds(
        self, low: float, high: float, level: float, method: str = BOOTSTRAP, reason: str | None = None
    ) -> Number:
        """The same with an interval, or with the reason why it has none.

        A bootstrap whose replicates are all equal (every lesion found, of a few) is no proof of certainty: it has none.
        """
        if math.isnan(low) or math.isnan(high):
            return replace(self, no_interval=reason or self.reason or 'undefined')
        if method == BOOTSTRAP and low == high:
            return replace(self, no_interval=NO_SPREAD)
        return replace(self, low=float(low), high=float(high), level=level, method=method, no_interval=None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no nan."""
        return {
            'name': self.name,
            'value': _or_none(self.value),
            'low': _or_none(self.low),
            'high': _or_none(self.high),
            'level': self.level,
            'interval': self.method if self.no_interval is None else None,
            'n': dict(self.counts),
            'reason': self.reason,
            'no_interval': self.no_interval,
        }


def with_interval(numbers: Sequence[Number], interval: Interval | None) -> list[Number]:
    """The numbers with the bounds of an interval that has one entry per number, in their order."""
    if interval is None:
        return list(numbers)
    low, high = interval.low.ravel(), interval.high.ravel()
    return [
        number.with_bounds(float(low[i]), float(high[i]), interval.level, reason=interval.reason)
        for i, number in enumerate(numbers)
    ]


def spread(interval: Interval) -> tuple[FloatArray, FloatArray]:
    """Bounds of an interval, nan where all replicates are equal; see :meth:`Number.with_bounds`."""
    equal = interval.low == interval.high
    return np.where(equal, np.nan, interval.low), np.where(equal, np.nan, interval.high)


def by_key(numbers: Sequence[Number]) -> dict[str, Number]:
    """Key -> number, in their order.

    Raises:
        ValueError: If two share a key, which is a defect of ours.
    """
    keyed = {number.key: number for number in numbers}
    if len(keyed) < len(numbers):
        raise ValueError(f'numbers share keys: {[number.key for number in numbers]}')
    return keyed


def flat_metrics(numbers: Mapping[str, Number]) -> dict[str, float | None]:
    """``key``, and where intervals were asked for ``key_low`` and ``key_high`` -> number, as a test run logs them."""
    flat: dict[str, float | None] = {}
    for key, number in numbers.items():
        flat[key] = _or_none(number.value)
        if number.no_interval != NOT_ASKED:
            flat |= {f'{key}_low': _or_none(number.low), f'{key}_high': _or_none(number.high)}
    return flat


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
