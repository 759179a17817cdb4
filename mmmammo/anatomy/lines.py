"""Straight lines through a breast: chords of its contour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

WALL_BAND = 0.03
"""Fraction of the breast's depth: contour points this close to a line on its edge belong to the chest wall."""


def unit(vector: npt.NDArray[np.floating]) -> Points:
    """The vector at length one; straight down if it has none."""
    length = float(np.hypot(*vector))
    return np.asarray(vector / length if length > 0 else (0.0, 1.0), dtype=np.float64)


def downward(line: Points) -> Points:
    """Unit direction of a (2, 2) line from its upper to its lower end; from left to right if it is level."""
    direction = unit(line[1] - line[0])
    return -direction if (direction[1], direction[0]) < (0.0, 0.0) else direction


def chord(contour: Points, point: Points, direction: Points) -> Points | None:
    """The part of a line that lies between its outermost intersections with a closed contour.

    A line on the edge of the contour, as the chest wall of a CC view is, crosses nothing in general position; its chord
    spans the contour points within 3 % of the contour's extent across the line.

    Args:
        contour: (n, 2) closed polygon, convex or not.
        point: (2,) on the line.
        direction: (2,) of length one, pointing down.

    Returns:
        (2, 2), upper end first, or ``None`` if the line misses the contour.
    """
    across = (contour - point) @ np.array([-direction[1], direction[0]])
    along = (contour - point) @ direction
    band = WALL_BAND * float(np.ptp(across))
    if across.min() > -0.1 * band or across.max() < 0.1 * band:
        at = along[np.abs(across) <= band]
    else:
        following_across, following = np.roll(across, -1), np.roll(along, -1)
        crosses = (across <= 0) != (following_across <= 0)
        share = across[crosses] / (across[crosses] - following_across[crosses])
        at = along[crosses] + share * (following[crosses] - along[crosses])
    if at.size == 0:
        return None
    return np.asarray(point + np.outer((at.min(), at.max()), direction), dtype=np.float64)


def chord_or_projection(contour: Points, point: Points, direction: Points) -> Points:
    """The chord; for a line that misses the contour, the shadow that the contour casts on the line."""
    found = chord(contour, point, direction)
    if found is not None:
        return found
    along = (contour - point) @ direction
    return np.asarray(point + np.outer((along.min(), along.max()), direction), dtype=np.float64)
