"""A number that can say why it is undefined."""

from __future__ import annotations

import math


class Reading(float):
    """A float; when it is nan, ``reason`` says why.

    It computes, compares and serialises like the float it is, so a metric may be used without looking at the reason.

    Args:
        value: The number.
        reason: Why it is nan, or ``None`` when it is not.
    """

    reason: str | None

    def __new__(cls, value: float, reason: str | None = None) -> Reading:  # noqa: D102 - the class says it
        if math.isnan(value) != (reason is not None):
            raise ValueError(f'a reading has a reason when, and only when, it is nan; found {value!r} and {reason!r}')
        reading = super().__new__(cls, value)
        reading.reason = reason
        return reading

    @classmethod
    def undefined(cls, reason: str) -> Reading:
        """Nan, and why."""
        return cls(math.nan, reason)

    def __getnewargs__(self) -> tuple[float, str | None]:  # type: ignore[override]
        """Keep the reason when pickled or copied."""
        return float(self), self.reason

    def __repr__(self) -> str:
        return float.__repr__(self) if self.reason is None else f'nan ({self.reason})'
