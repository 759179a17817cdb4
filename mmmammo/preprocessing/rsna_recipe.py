"""Crop and muscle as the notebooks of the second paper (experiments 4 and 5) mean them; ours are in crop and pectoral.

Every length is one of the images that the notebooks read: 8 bits, a quarter of the size. As published, the search for
the muscle was given three channels, failed on every image, and its exception was swallowed; here it gets one.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from skimage.feature import canny
from skimage.filters import sobel
from skimage.transform import hough_line, hough_line_peaks

FloatImage = npt.NDArray[np.floating]

_QUARTER = 0.25
_FRAME = 5  # px at each edge of the image that are not looked at
_LEVEL = 20  # of 255: brighter is breast
_SIGMA = 2.25  # of Canny's Gaussian, px
_DISTANCES = (1.0, 384.0)  # px of a line from the upper left corner
_ANGLES_DEG = (1.0, 89.0)  # of its normal to the horizontal


def rsna_box(image: FloatImage) -> tuple[int, int, int, int]:
    """Box (x1, y1, x2, y2) around the largest region brighter than 20 of 255, without a frame of 20 pixels.

    Args:
        image: (h, w) in [0, 1], breast bright on dark.

    Returns:
        In pixels of the image; all of it where nothing is that bright.
    """
    height, width = image.shape
    quarter = _as_read(image)
    bright = (quarter[_FRAME:-_FRAME, _FRAME:-_FRAME] > _LEVEL).astype(np.uint8)
    if not bright.any():
        return 0, 0, width, height
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    x, y, w, h = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), : cv2.CC_STAT_AREA].tolist()
    fx, fy = width / quarter.shape[1], height / quarter.shape[0]
    x1, y1 = round((x + _FRAME) * fx), round((y + _FRAME) * fy)
    return x1, y1, round((x + w + _FRAME) * fx), round((y + h + _FRAME) * fy)


def rsna_muscle(image: FloatImage) -> npt.NDArray[np.bool_] | None:
    """What lies behind the Hough line nearest to the upper left corner: the triangle that the line cuts off there.

    Canny (sigma 2.25), Sobel, Hough; of the peaks those 1 to 384 pixels from the corner whose normal is inclined by
    1 to 89 degrees.

    Args:
        image: (h, w) in [0, 1], chest wall on the left, cut by :func:`rsna_box`.

    Returns:
        (h, w) mask, pixels judged by their centres; ``None`` where there is no such line.
    """
    quarter = _as_read(image)
    edges = sobel(canny(quarter, sigma=_SIGMA))  # type: ignore[no-untyped-call]
    _, angles, distances = hough_line_peaks(*hough_line(edges))  # type: ignore[no-untyped-call]
    degrees = np.rad2deg(angles)
    fit = (degrees >= _ANGLES_DEG[0]) & (degrees <= _ANGLES_DEG[1])
    fit &= (distances >= _DISTANCES[0]) & (distances <= _DISTANCES[1])
    if not fit.any():
        return None
    nearest = int(np.where(fit, distances, np.inf).argmin())
    return _behind(image.shape, quarter.shape, float(angles[nearest]), float(distances[nearest]))


def _behind(shape: tuple[int, ...], quarter: tuple[int, ...], angle: float, distance: float) -> npt.NDArray[np.bool_]:
    """Where x cos(angle) + y sin(angle) < distance, for indices x and y of the quarter-size image."""
    x = (np.arange(shape[1]) + 0.5) * (quarter[1] / shape[1]) - 0.5
    y = (np.arange(shape[0]) + 0.5)[:, None] * (quarter[0] / shape[0]) - 0.5
    return np.asarray(x * np.cos(angle) + y * np.sin(angle) < distance)


def _as_read(image: FloatImage) -> npt.NDArray[np.uint8]:
    """8 bits, truncated, at a quarter of the size; small images keep room for a frame."""
    levels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    size = tuple(max(round(side * _QUARTER), 2 * _FRAME + 1) for side in image.shape[::-1])
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
