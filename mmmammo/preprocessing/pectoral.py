"""Removal of the pectoral muscle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.structures import BreastLandmarks, MammoError

FloatImage = npt.NDArray[np.floating]


def remove_pectoral(
    image: FloatImage, landmarks: BreastLandmarks, fill: float = 0.0, below_nipple: float = 0.12
) -> FloatImage:
    """Blank what is behind the pectoral line: in an MLO view the triangle of the muscle, in a CC view next to nothing.

    The line is continued to the edges of the image; behind it is the side on which the nipple does not lie. The muscle
    ends near the level of the nipple: where the line runs on below, the tissue behind it is gland and stays. Pixels
    are judged by their centres.

    Args:
        image: (h, w), one channel.
        landmarks: In the pixels of ``image``.
        fill: Written behind the line, in the unit of the image.
        below_nipple: How far below the nipple the muscle may reach, as a fraction of the contour's height.

    Returns:
        A copy of the image with the muscle blanked.

    Raises:
        MammoError: If the image is not (h, w), or the line has no length.
    """
    if np.ndim(image) != 2:
        raise MammoError(
            'image',
            field='shape',
            found=np.shape(image),
            expected='one channel (h, w)',
            remedy='remove the muscle before channels are stacked',
        )
    (x0, y0), (x1, y1) = landmarks.pectoral_line
    dx, dy = x1 - x0, y1 - y0
    if not np.isfinite([dx, dy]).all() or dx == dy == 0:
        raise MammoError(
            'landmarks',
            field='pectoral_line',
            found=landmarks.pectoral_line.tolist(),
            expected='two different finite points',
            remedy='detect the landmarks again or correct them by hand',
        )
    x, y = np.arange(image.shape[1]) + 0.5, np.arange(image.shape[0]) + 0.5
    side = dx * (y[:, None] - y0) - dy * (x - x0)
    nipple_side = dx * (landmarks.nipple[1] - y0) - dy * (landmarks.nipple[0] - x0)
    lowest = landmarks.nipple[1] + below_nipple * np.ptp(landmarks.contour[:, 1])
    muscle = (side * nipple_side < 0) & (y <= lowest)[:, None]
    return np.where(muscle, np.asarray(fill, dtype=image.dtype), image)
