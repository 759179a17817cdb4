"""Does a window hold the lesion, and how often would one placed by chance?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.structures.windows import window_corners


def windows_hold(corners: npt.ArrayLike, size: tuple[int, int], lesions: npt.ArrayLike) -> BoolArray:
    """(n,) whether each window holds the centre of any lesion.

    Args:
        corners: (n, 2) of :func:`window_corners`.
        size: (width, height).
        lesions: (m, 4) xyxy.
    """
    boxes = np.asarray(lesions, dtype=np.float64).reshape(-1, 4)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    offsets = middles[None] - np.asarray(corners, dtype=np.float64).reshape(-1, 1, 2)
    inside = (offsets >= 0) & (offsets <= np.array(size))
    held: BoolArray = np.asarray(inside.all(axis=-1).any(axis=-1), dtype=bool)
    return held


def chance_of_hold(
    places: npt.ArrayLike, size: tuple[int, int], image_size: tuple[int, int], lesions: npt.ArrayLike
) -> float:
    """Probability that a window round a random place holds a lesion.

    Args:
        places: (n, 2) places, each as likely: the pixels of the breast.
        size: (width, height) of the window.
        image_size: (width, height).
        lesions: (m, 4) xyxy.

    Raises:
        MammoError: If there is no place.
    """
    points: FloatArray = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    option('chance_of_hold', 'places', len(points), 'at least one', good=len(points) > 0)
    return float(windows_hold(window_corners(points, size, image_size), size, lesions).mean())
