"""Windows of a fixed size round points of an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def window_corners(centres: npt.ArrayLike, size: tuple[int, int], image_size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Upper left corners of windows round centres, moved inside the image.

    A window larger than the image is laid symmetrically over it.

    Args:
        centres: (n, 2) as (x, y), continuous pixels.
        size: (width, height) of the windows, in whole pixels.
        image_size: (width, height).

    Returns:
        (n, 2) whole pixels as (x, y); negative where the window is larger than the image.
    """
    corners = np.floor(np.asarray(centres, dtype=np.float64).reshape(-1, 2) - np.array(size) / 2 + 0.5)
    room = np.array(image_size) - np.array(size)
    inside: npt.NDArray[np.int64] = np.where(room < 0, room // 2, np.clip(corners, 0, np.maximum(room, 0))).astype(int)
    return inside
