"""What the outputs of a classifier trained with the focal loss mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LEAST = 1e-6


def undo_focal(scores: npt.NDArray[np.floating], gamma: float) -> npt.NDArray[np.float32]:
    """Turn outputs that the focal loss is least at into the probabilities that they stand for.

    Where a share q of equal inputs is positive, the loss of output p is on average
    ``-q (1 - p)^gamma log p - (1 - q) p^gamma log(1 - p)``. It is least not at p = q but nearer to a half, for
    gamma = 2 at p = 0.31 where q = 0.1. Its derivative is 0 where q = B / (A + B), with
    ``A = (1 - p)^gamma / p - gamma (1 - p)^(gamma - 1) log p`` and B the same of 1 - p. Outputs keep their order.

    Args:
        scores: Sigmoids in [0, 1], any shape; nan stays.
        gamma: Of the loss; 0, cross-entropy, changes nothing.

    Returns:
        q, of the same shape.
    """
    p = np.clip(np.asarray(scores, dtype=np.float64), _LEAST, 1 - _LEAST)
    of_positive, of_negative = _slope(p, gamma), _slope(1 - p, gamma)
    return (of_negative / (of_positive + of_negative)).astype(np.float32)


def _slope(p: npt.NDArray[np.float64], gamma: float) -> npt.NDArray[np.float64]:
    slope: npt.NDArray[np.float64] = (1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * np.log(p)
    return slope
