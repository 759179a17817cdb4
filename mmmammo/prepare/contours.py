"""Contours with as many points as they need: 512 each would be most of an annotation file."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

_TOLERANCE_PX = 0.25
_STRIDE = 16  # of every so many points one stays: an elastic deformation bends straight stretches too


def thinned(contour: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The points of a closed outline that the algorithm of Douglas and Peucker keeps, and every sixteenth.

    Args:
        contour: (n, 2), in pixels of the image as it is written.

    Returns:
        (m, 2) of its points, in their order; no point of the outline is half a pixel away from the new one.
    """
    corners = cv2.approxPolyDP(contour.astype(np.float32).reshape(-1, 1, 2), _TOLERANCE_PX, closed=True)
    kept = {tuple(corner) for corner in corners.reshape(-1, 2).tolist()}
    needed = np.array([tuple(point) in kept for point in contour.astype(np.float32).tolist()], dtype=bool)
    needed[::_STRIDE] = True
    return np.asarray(contour[needed])
