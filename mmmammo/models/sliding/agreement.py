"""How well an approximate score agrees with the exact one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.models.sliding.window_grid import Mask

_LEAST = 1e-7


@dataclass(frozen=True)
class Agreement:
    """Two scores of the same windows.

    Args:
        windows: How many were compared.
        correlation: Of the log-odds, the median over classes; nan if a score does not vary.
        mean_difference: Of the probabilities, over windows and classes.
        greatest_difference: Likewise.
    """

    windows: int
    correlation: float
    mean_difference: float
    greatest_difference: float

    @classmethod
    def of(cls, scores: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> Agreement:
        """Compare two arrays of probabilities (classes, windows)."""
        difference = np.abs(scores.astype(np.float64) - reference)
        pairs = zip(_log_odds(scores), _log_odds(reference), strict=True)
        correlations = [
            np.corrcoef(ours, theirs)[0, 1] if ours.std() * theirs.std() else np.nan for ours, theirs in pairs
        ]
        known = [value for value in correlations if np.isfinite(value)]
        return cls(
            windows=scores.shape[1],
            correlation=float(np.median(known)) if known else float('nan'),
            mean_difference=float(difference.mean()),
            greatest_difference=float(difference.max()),
        )

    def __str__(self) -> str:
        return (
            f'correlation of log-odds {self.correlation:.3f}, probabilities differ by {self.mean_difference:.4f} in '
            f'the mean and {self.greatest_difference:.4f} at most, on {self.windows} windows'
        )


def spread(wanted: Mask, count: int) -> Mask:
    """At most so many of the wanted windows, evenly drawn in reading order."""
    places = np.argwhere(wanted)
    chosen = places[np.unique(np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int))]
    some = np.zeros_like(wanted)
    some[tuple(chosen.T)] = True
    return some


def _log_odds(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    clipped = np.clip(probabilities.astype(np.float64), _LEAST, 1 - _LEAST)
    odds: npt.NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds
