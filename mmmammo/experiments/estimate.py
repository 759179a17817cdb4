"""How long the rest will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def seconds_left(
    known: Mapping[str, Sequence[float]], waiting: Sequence[str], active: Sequence[tuple[str, float, float]], jobs: int
) -> float | None:
    """An estimate from the runs that were, and those that are being made.

    Args:
        known: Row -> seconds of each of its complete runs.
        waiting: Row of each run that has not begun.
        active: (row, how much of it is done in [0, 1], seconds so far).
        jobs: Runs at a time.

    Returns:
        ``None`` while nothing is known.
    """
    whole = [seconds / share for _, share, seconds in active if share > 0.02]
    every = [seconds for runs in known.values() for seconds in runs] or whole
    if not every:
        return None
    mean = sum(every) / len(every)

    def expected(row: str) -> float:
        runs = known.get(row) or [mean]
        return sum(runs) / len(runs)

    rest = [max(seconds / share - seconds, 0.0) if share > 0.02 else expected(row) for row, share, seconds in active]
    return (sum(rest) + sum(expected(row) for row in waiting)) / jobs


def in_words(seconds: float | None) -> str:
    """``'about 3 h 20 min'``."""
    if seconds is None:
        return 'not known yet'
    minutes = max(round(seconds / 60), 1)
    return f'about {minutes // 60} h {minutes % 60} min' if minutes >= 60 else f'about {minutes} min'
