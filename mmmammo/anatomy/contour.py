"""Outlines as closed curves: tracing, smoothing, curvature."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import splev, splprep
from scipy.ndimage import gaussian_filter1d
from skimage.measure import find_contours

from mmmammo.anatomy.errors import LandmarkError
from mmmammo.preprocessing.breast_mask import bounds, otsu_threshold

Points = npt.NDArray[np.float64]

PAPER_HEIGHT = 4084
"""Rows of an original CBIS-DDSM image, to which the third paper's smoothing parameters belong."""

_BLUR_REACH = 6  # px beyond which a blur of one pixel is not felt
_PAPER_ALPHA = 10 / 255
_PAPER_SMOOTHING = {'MLO': 1e7, 'CC': 100.0}


def trace_mask(mask: npt.NDArray[np.bool_], num_points: int = 512) -> Points:
    """Outline of the largest region of a mask, with sub-pixel steps.

    Args:
        mask: (h, w) with at least one True; the image edge closes a region that is cut by it.
        num_points: Points at equal distances along the outline.

    Returns:
        (num_points, 2) closed outline.
    """
    rows, columns = bounds(mask, _BLUR_REACH)
    part = mask[rows, columns].astype(np.float32)
    soft = cv2.GaussianBlur(part, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    outline = resample_closed(_largest_outline(np.asarray(soft)), num_points)
    return np.asarray(outline + np.array([columns.start, rows.start]))


def _largest_outline(field: npt.NDArray[np.floating]) -> Points:
    """Outline of largest area of the part of a field above one half, closed along the edge of the image."""
    outlines = find_contours(np.pad(field, 1), 0.5)  # type: ignore[no-untyped-call]
    largest = max(outlines, key=lambda line: cv2.contourArea(line.astype(np.float32)), default=np.zeros((1, 2)))
    points = largest[:-1, ::-1] - 0.5  # index in the padded field -> continuous coordinate
    return np.asarray(np.clip(points, 0, field.shape[::-1]), dtype=np.float64)


def resample_closed(points: Points, num_points: int) -> Points:
    """Points at equal distances along a closed polygon, beginning at its first vertex."""
    closed = np.vstack([points, points[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0.0, length[-1], num_points, endpoint=False)
    return np.column_stack([np.interp(at, length, closed[:, 0]), np.interp(at, length, closed[:, 1])])


def curvature(points: Points, sigma: float = 0.0) -> npt.NDArray[np.float64]:
    """Signed curvature of a closed curve, equation 7 of the third paper: (x'y'' - y'x'') / (x'^2 + y'^2)^1.5.

    Positive where the curve turns from x towards y, that is clockwise on the screen. A circle of radius r has 1 / r.

    Args:
        points: (n, 2) in order, at about equal distances.
        sigma: Standard deviation, in points, of a Gaussian smoothing of the coordinates beforehand.

    Returns:
        (n,) in 1 / px; 0 where neighbouring points coincide.
    """
    x, y = (gaussian_filter1d(points, sigma, axis=0, mode='wrap') if sigma > 0 else points).T
    dx, dy = ((np.roll(c, -1) - np.roll(c, 1)) / 2 for c in (x, y))
    ddx, ddy = (np.roll(c, -1) - 2 * c + np.roll(c, 1) for c in (x, y))
    speed = (dx**2 + dy**2) ** 1.5
    turn = dx * ddy - dy * ddx
    return np.asarray(np.divide(turn, speed, out=np.zeros_like(turn), where=speed > 0))


def paper_contour(image: npt.NDArray[np.float32], view: str, num_points: int = 512) -> Points:
    """Breast outline of the third paper: Otsu's threshold less 10 / 255, largest outline, closed cubic B-spline.

    SciPy's ``s`` bounds the sum of squared residuals, so for an image scaled by f the published 1e7 (MLO) and 100 (CC)
    are multiplied by f^3 (f^2 for the distances, f for the number of points).

    Args:
        image: (h, w).
        view: ``'MLO'`` smooths strongly, any other view like CC.
        num_points: Points of the returned outline, at equal steps of the spline's parameter.

    Raises:
        LandmarkError: If nothing is brighter than the threshold.
    """
    low, high = float(image.min()), float(image.max())
    level = (image - low) / (high - low) if high > low else np.zeros_like(image)
    bright = (level > otsu_threshold(level) - _PAPER_ALPHA) if high > low else level > 0
    points = _largest_outline(bright.astype(np.float32))
    if len(points) < 16:
        raise no_breast(image)
    smoothing = _PAPER_SMOOTHING['MLO' if view == 'MLO' else 'CC'] * (image.shape[0] / PAPER_HEIGHT) ** 3
    if len(points) > num_points:  # the same residual per point, at a bounded cost of the fit
        smoothing *= num_points / len(points)
        points = resample_closed(points, num_points)
    spline, _ = splprep(np.vstack([points, points[:1]]).T, s=smoothing, per=True)
    return np.column_stack(splev(np.linspace(0.0, 1.0, num_points, endpoint=False), spline))


def no_breast(image: npt.NDArray[np.float32]) -> LandmarkError:
    """The error for an image without a breast, saying what it holds instead."""
    return LandmarkError(
        'image',
        field='breast region',
        found=f'none in {image.shape[1]}x{image.shape[0]} pixels of values {image.min():.3g} to {image.max():.3g}',
        expected='a bright breast on a dark ground',
        remedy='look at the image: it may be blank, inverted or not a mammogram',
    )
