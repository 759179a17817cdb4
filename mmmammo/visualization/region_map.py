"""High-risk regions: the detections of a view as one map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from mmmammo.structures import MammoError

SOFTNESS = 0.25
_REACH = 4.0  # standard deviations beyond which nothing is drawn


def region_map(
    boxes: npt.ArrayLike, scores: npt.ArrayLike, shape: tuple[int, int], softness: float = SOFTNESS
) -> npt.NDArray[np.float32]:
    """How suspicious each place of a view is, from the detections on it.

    At the point (x, y) the map is the greatest ``s_i k_i(x) k_i(y)`` of all detections i with score s_i, where along x
    (and y likewise) the box from x1 to x2 is smoothed by a Gaussian of standard deviation ``d = softness (x2 - x1)``::

        k_i(x) = (Phi((x - x1) / d) - Phi((x - x2) / d)) / (2 Phi((x2 - x1) / 2d) - 1)

    So a detection has its score in the middle of its box and about half of it at each edge. The greatest is taken, not
    the sum: a detector without suppression of duplicates says the same thing many times, which makes it no truer.

    Args:
        boxes: (n, 4) xyxy in the pixels of the map; they may reach beyond it. Sides below one pixel count as one.
        scores: (n,) in [0, 1].
        shape: (h, w) of the map.
        softness: Standard deviation as a share of the side of the box.

    Returns:
        (h, w) in [0, 1], sampled at the centres of pixels; zeros without detections.

    Raises:
        MammoError: If boxes and scores do not belong together, or a number is out of range.
    """
    rows, columns = shape
    boxes, scores = _checked(boxes, scores, shape, softness)
    regions = np.zeros((rows, columns), dtype=np.float32)
    for box, score in zip(boxes, scores, strict=True):
        xs, across = _profile(box[0], box[2], columns, softness)
        ys, down = _profile(box[1], box[3], rows, softness)
        part = regions[ys, xs]
        np.maximum(part, score * np.outer(down, across), out=part)
    return regions


def _profile(low: float, high: float, length: int, softness: float) -> tuple[slice, npt.NDArray[np.float32]]:
    """The pixels that a box reaches along one axis, and k there."""
    side, middle = max(high - low, 1.0), (low + high) / 2
    spread = softness * side
    reach = side / 2 + _REACH * spread
    first, last = np.clip([np.floor(middle - reach), np.ceil(middle + reach)], 0, length).astype(int)
    offset = (np.arange(first, last) + 0.5 - middle) / spread
    half = 0.5 / softness
    smooth = (ndtr(offset + half) - ndtr(offset - half)) / (2 * ndtr(half) - 1)
    return slice(first, last), smooth.astype(np.float32)


def _checked(
    boxes: npt.ArrayLike, scores: npt.ArrayLike, shape: tuple[int, int], softness: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if len(boxes) != len(scores):
        _refuse('scores', f'{len(scores)} for {len(boxes)} boxes', 'one per box')
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
        _refuse('boxes', 'a box that is not finite or ends before it begins', 'x1 <= x2, y1 <= y2')
    if not ((scores >= 0) & (scores <= 1)).all():
        _refuse('scores', f'{scores.min():.3g} to {scores.max():.3g}', 'numbers in [0, 1]')
    if min(shape) < 1 or not softness > 0:
        _refuse('shape, softness', f'{tuple(shape)}, {softness}', 'sides of at least one pixel, softness above 0')
    return boxes, scores


def _refuse(field: str, found: object, expected: str) -> None:
    raise MammoError('region_map', field=field, found=found, expected=expected, remedy='correct the argument')
