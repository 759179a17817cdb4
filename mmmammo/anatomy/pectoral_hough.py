"""The eight stages by which the third paper finds the pectoral muscle in an MLO view; chest wall on the left."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.pectoral_line import FALLBACK_CONFIDENCE, LineFound

Points = npt.NDArray[np.float64]
Image8 = npt.NDArray[np.uint8]

REFERENCE_ROWS = 1024
"""Image height to which the paper's pixel parameters (kernel 5, block 11, 20 votes) are taken to belong."""

_ROI = (0.4, 0.6)  # of width and height, equation 10
_TARGET_DEG = 45.0


def paper_pectoral_line(image: npt.NDArray[np.float32]) -> LineFound:
    """Region, CLAHE, two thresholds, morphology, Canny, Hough, slope filter, score: equations 10 to 15.

    The best segment is extended to y = 0 and y = h. Without any, a line of 60 degrees through the upper right corner
    of the region is taken, named ``fallback_60deg``.

    Args:
        image: (h, w), breast bright on dark.
    """
    height, width = image.shape
    rows, columns = max(round(_ROI[1] * height), 8), max(round(_ROI[0] * width), 8)
    scale = height / REFERENCE_ROWS
    segments = _falling_segments(_edges(_to_8bit(image)[:rows, :columns], scale), rows, scale)
    if not len(segments):
        run = _ROI[0] * width
        line = np.array([[run, 0.0], [0.0, run * np.tan(np.pi / 3)]])
        return LineFound(_extended(line, height), 'fallback_60deg', FALLBACK_CONFIDENCE)
    length = np.hypot(*(segments[:, 1] - segments[:, 0]).T)
    quality = _segment_quality(segments, rows)
    best = int((length * quality).argmax())
    confidence = round(float(min(length[best] / rows, 1.0) * quality[best]), 3)
    return LineFound(_extended(segments[best], height), 'hough', confidence)


def _to_8bit(image: npt.NDArray[np.float32]) -> Image8:
    """Min-max normalised to 0..255."""
    low, high = float(image.min()), float(image.max())
    return np.round((image - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def _edges(roi: Image8, scale: float) -> Image8:
    """Stages 2 to 5: CLAHE, Otsu AND adaptive threshold, opening and closing, Canny."""
    enhanced = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(roi)
    _, otsu = cv2.threshold(enhanced, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    adaptive = cv2.adaptiveThreshold(
        enhanced, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, _odd(11 * scale), 2
    )
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(5 * scale), _odd(5 * scale)))
    opened = cv2.morphologyEx(cv2.bitwise_and(otsu, adaptive), cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.Canny(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel), 50, 150), dtype=np.uint8)


def _odd(size: float) -> int:
    """Nearest odd number, at least 3."""
    return max(2 * round((size - 1) / 2) + 1, 3)


def _falling_segments(edges: Image8, rows: int, scale: float) -> Points:
    """Stages 6 and 7: (n, 2, 2) Hough segments that run from the upper right to the lower left, upper end first."""
    found = cv2.HoughLinesP(
        edges, 1, np.pi / 180, max(round(20 * scale), 5), minLineLength=0.5 * rows, maxLineGap=0.1 * rows
    )
    segments = np.zeros((0, 2, 2)) if found is None else found.reshape(-1, 2, 2) + 0.5
    upper_first = np.where(segments[:, :1, 1:] <= segments[:, 1:, 1:], segments, segments[:, ::-1])
    run = upper_first[:, 1] - upper_first[:, 0]
    return np.asarray(upper_first[(run[:, 0] < 0) & (run[:, 1] > 0)], dtype=np.float64)


def _segment_quality(segments: Points, rows: int) -> npt.NDArray[np.float64]:
    """0.2 for beginning near the top and 0.8 for being near 45 degrees; the factor of length in equation 15."""
    run = np.abs(segments[:, 1] - segments[:, 0])
    angle = np.rad2deg(np.arctan2(run[:, 1], run[:, 0]))
    position = 1 - segments[:, 0, 1] / rows
    return np.asarray(0.2 * position + 0.8 * (1 - np.minimum(np.abs(angle - _TARGET_DEG) / 45, 1)))


def _extended(line: Points, height: int) -> Points:
    """The line from y = 0 to y = h."""
    (x0, y0), (x1, y1) = line
    slope = (x1 - x0) / (y1 - y0)
    return np.array([[x0 - y0 * slope, 0.0], [x0 + (height - y0) * slope, float(height)]])
