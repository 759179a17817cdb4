"""Where in its crop the NYU model looks, with the noise of training and of test-time averaging.

All of it on images that face right. Sizes are (h, w); a centre is (y, x), the index ``(side - 1) // 2`` of a window.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError, View

FloatImage = npt.NDArray[np.floating]
Size = tuple[int, int]
Point = tuple[int, int]

WINDOW_SIZES: Mapping[View, Size] = {View.CC: (2677, 1942), View.MLO: (2974, 1748)}
"""(h, w) of the window of each projection, in their pixels of about 0.07 mm."""
WINDOW_SPACING_MM = 0.07
_LEAST_DEVIATION = 1e-5


def optimal_centre(image: FloatImage, right: int, bottom: int, view: View, size: Size) -> Point:
    """Centre of the window that shows the most of the breast.

    Its right edge is at the farthest pixel of the breast. Of a CC view it has the height at which it holds the most
    pixels above zero, and among equals that closest to the middle of the image; of an MLO view its lower edge is at
    the lowest pixel of the breast. An image that is smaller than the window is padded right, and a CC view above and
    below, an MLO view below only.

    Args:
        image: (h, w) crop.
        right: Column of the farthest pixel, see :attr:`NYUCrop.rightmost`.
        bottom: Row of the lowest one, see :attr:`NYUCrop.bottommost`.
        view: CC or MLO.
        size: Of the window.

    Raises:
        MammoError: If the view is neither.
    """
    height, width = size
    left = max(right - width, 0)
    if view == View.MLO:
        top = max(bottom - height, 0)
    elif view == View.CC:
        top = _fullest_rows(np.count_nonzero(image[:, left : left + width], axis=1), height)
    else:
        raise MammoError(
            'optimal_centre', field='view', found=view, expected='CC or MLO', remedy='leave other projections out'
        )
    return top + (height - 1) // 2, left + (width - 1) // 2


def _fullest_rows(counts: npt.NDArray[np.integer], height: int) -> int:
    """First row of the ``height`` rows with the highest sum of counts; negative if there are fewer rows."""
    spare = len(counts) - height
    if spare <= 0:
        return spare // 2
    sums = np.cumsum(np.concatenate([[0], counts]))
    inside = sums[height:] - sums[:-height]
    best = np.flatnonzero(inside == inside.max())
    return int(best[np.abs(2 * best - spare).argmin()])


def window_around(centre: Point, size: Size) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of a window, bottom and right not in it."""
    top, left = (at - (side - 1) // 2 for at, side in zip(centre, size, strict=True))
    return top, top + size[0], left, left + size[1]


def cut_window(image: FloatImage, window: tuple[int, int, int, int]) -> npt.NDArray[np.float32]:
    """The pixels of a window, (..., h, w), zero beyond the image.

    Args:
        image: (..., h, w).
        window: (top, bottom, left, right); may reach beyond the image.
    """
    top, bottom, left, right = window
    out = np.zeros((*image.shape[:-2], bottom - top, right - left), dtype=np.float32)
    height, width = image.shape[-2:]
    rows, columns = (max(top, 0), min(bottom, height)), (max(left, 0), min(right, width))
    if rows[0] < rows[1] and columns[0] < columns[1]:
        part = image[..., rows[0] : rows[1], columns[0] : columns[1]]
        out[..., rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left] = part
    return out


def noisy_window(
    centre: Point, size: Size, shape: Size, position: int, scale: int, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """A window that is moved by at most ``position`` pixels each way and is at most ``scale`` pixels higher or lower.

    It keeps its aspect. Where the image is large enough the window is moved back into it, so that noise shows more or
    less of the breast, never more of nothing.

    Args:
        centre: Without noise.
        size: Likewise.
        shape: (h, w) of the image.
        position: In pixels; 0 for none.
        scale: In pixels of the height; 0 for none.
        generator: Of the noise, uniform in whole pixels.
    """
    height = max(size[0] + int(generator.integers(-scale, scale + 1)), 1)
    taken = (height, max(round(size[1] * height / size[0]), 1))
    down, right = (int(step) for step in generator.integers(-position, position + 1, size=2))
    top, _, left, _ = window_around((centre[0] + down, centre[1] + right), taken)
    if position or scale:
        top, left = _moved_inside(top, taken[0], shape[0]), _moved_inside(left, taken[1], shape[1])
    return top, top + taken[0], left, left + taken[1]


def _moved_inside(start: int, length: int, limit: int) -> int:
    return start if length > limit else min(max(start, 0), limit - length)


def resized(image: FloatImage, size: Size) -> npt.NDArray[np.float32]:
    """(..., h, w) brought to a size by bicubic interpolation; untouched where it has it."""
    if image.shape[-2:] == size:
        return np.asarray(image, dtype=np.float32)
    planes = np.asarray(image, dtype=np.float32).reshape(-1, *image.shape[-2:])
    out = [cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC) for plane in planes]
    return np.stack(out).reshape(*image.shape[:-2], *size)


def standardised(image: FloatImage) -> npt.NDArray[np.float32]:
    """Zero mean and unit deviation over all pixels; a flat image becomes zeros."""
    image = np.asarray(image, dtype=np.float32)
    mean, deviation = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
    out: npt.NDArray[np.float32] = (image - np.float32(mean)) / np.float32(max(deviation, _LEAST_DEVIATION))
    return out
