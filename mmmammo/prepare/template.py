"""Where in an image a part of it was cut out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.floating]

LEAST_CORRELATION = 0.95
_COARSE_SIDE = 16  # pixels that the shorter side of the shrunken cut-out keeps
_CANDIDATES = 8


@dataclass(frozen=True)
class Place:
    """A cut-out found again.

    Args:
        x: Left column of the image.
        y: Top row.
        width: Of the cut-out.
        height: Likewise.
        correlation: Of the pixels of both, at full resolution.
    """

    x: float
    y: float
    width: float
    height: float
    correlation: float


def locate(crop: FloatImage, image: FloatImage) -> Place | None:
    """Find a cut-out by normalised correlation, which neither another window nor another depth disturbs.

    The best places of a shrunken copy are looked at again at full resolution.

    Args:
        crop: (h, w), at the scale of the image.
        image: (H, W).

    Returns:
        Its place; ``None`` if it is larger than the image, has one value, or correlates with no part of the image by
        :data:`LEAST_CORRELATION` or more.
    """
    crop, image = np.asarray(crop, dtype=np.float32), np.asarray(image, dtype=np.float32)
    (height, width), (rows, columns) = crop.shape, image.shape
    if height > rows or width > columns or not np.ptp(crop) > 0:
        return None
    factor = max(min(height, width) // _COARSE_SIDE, 1)
    found = [_refined(crop, image, x * factor, y * factor, factor) for x, y in _candidates(crop, image, factor)]
    best = max(found, key=lambda place: place.correlation)
    return best if best.correlation >= LEAST_CORRELATION else None


def _candidates(crop: FloatImage, image: FloatImage, factor: int) -> Iterator[tuple[int, int]]:
    """Corners (x, y) of the best places in the shrunken image, no two of them neighbours."""
    small_crop, small_image = _shrunken(crop, factor), _shrunken(image, factor)
    scores = np.nan_to_num(cv2.matchTemplate(small_image, small_crop, cv2.TM_CCOEFF_NORMED), nan=-1, posinf=-1)
    for _ in range(_CANDIDATES):
        y, x = (int(v) for v in np.unravel_index(int(scores.argmax()), scores.shape))
        yield x, y
        scores[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = -1


def _shrunken(image: FloatImage, factor: int) -> FloatImage:
    """Means of blocks; what is left over at the right and lower edge is left out: places scale by the factor."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    whole = np.ascontiguousarray(image[: height * factor, : width * factor])
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def _refined(crop: FloatImage, image: FloatImage, x: int, y: int, reach: int) -> Place:
    """The best place within ``reach`` pixels, and a bit, of a corner."""
    (height, width), (rows, columns) = crop.shape, image.shape
    x0, y0 = max(min(x, columns - width) - reach - 1, 0), max(min(y, rows - height) - reach - 1, 0)
    window = np.ascontiguousarray(image[y0 : y + height + reach + 2, x0 : x + width + reach + 2])
    scores = np.nan_to_num(cv2.matchTemplate(window, crop, cv2.TM_CCOEFF_NORMED), nan=-1, posinf=-1)
    dy, dx = (int(v) for v in np.unravel_index(int(scores.argmax()), scores.shape))
    left, top = x0 + dx, y0 + dy
    correlation = _correlation(crop, image[top : top + height, left : left + width])
    return Place(left, top, width, height, correlation)


def _correlation(a: FloatImage, b: FloatImage) -> float:
    """Pearson's; of one value everywhere it is 0, where the fast one of a window may be anything."""
    a, b = (part.astype(np.float64) - part.mean(dtype=np.float64) for part in (a, b))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1e-9 else 0.0
