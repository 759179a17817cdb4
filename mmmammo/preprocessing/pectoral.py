"""Removal of the pectoral muscle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.structures import BreastLandmarks, MammoError

FloatImage = npt.NDArray[np.floating]
Points = npt.NDArray[np.float64]

_TAIL = 0.25  # of the edge: the direction in which it is continued at either end


def remove_pectoral(
    image: FloatImage, landmarks: BreastLandmarks, fill: float = 0.0, below_nipple: float = 0.12
) -> FloatImage:
    """Blank what is behind the edge of the muscle: in an MLO view most of a triangle, in a CC view next to nothing.

    The cut follows ``landmarks.pectoral_edge`` and, where there is none, the pectoral line; either is continued
    straight to the edges of the image. Behind it is the side on which the nipple does not lie. The muscle ends near
    the level of the nipple: where the cut runs on below, the tissue behind it is gland and stays. Pixels are judged by
    their centres.

    Args:
        image: (h, w), one channel.
        landmarks: In the pixels of ``image``.
        fill: Written behind the edge, in the unit of the image.
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
    lowest = landmarks.nipple[1] + below_nipple * np.ptp(landmarks.contour[:, 1])
    rows = int(np.clip(np.ceil(lowest - 0.5 + 1e-9), 0, image.shape[0]))
    cleared = np.array(image)
    cleared[:rows][_behind((rows, image.shape[1]), landmarks)] = fill
    return cleared


def _behind(shape: tuple[int, int], landmarks: BreastLandmarks) -> npt.NDArray[np.bool_]:
    """Pixels of the upper part of the image that lie behind the edge, as seen from the nipple."""
    origin, (dx, dy) = landmarks.pectoral_line[0], landmarks.pectoral_line[1] - landmarks.pectoral_line[0]
    if not np.isfinite([dx, dy]).all() or dx == dy == 0:
        raise MammoError(
            'landmarks',
            field='pectoral_line',
            found=landmarks.pectoral_line.tolist(),
            expected='two different finite points',
            remedy='detect the landmarks again or correct them by hand',
        )
    x, y = np.arange(shape[1]) + 0.5 - origin[0], (np.arange(shape[0]) + 0.5 - origin[1])[:, None]
    side = dx * y - dy * x
    nx, ny = landmarks.nipple - origin
    front = dx * ny - dy * nx
    if landmarks.pectoral_edge is not None:
        edge = landmarks.pectoral_edge - origin
        knots = _continued(np.column_stack([edge @ (dx, dy), edge @ (-dy, dx)]))
        side -= np.interp(dx * x + dy * y, *knots.T)
    return np.asarray(side * front < 0)


def _continued(edge: Points) -> Points:
    """An edge in coordinates along and across its line, in order along it, continued far beyond either end."""
    edge = edge[np.argsort(edge[:, 0], kind='stable')]
    tail = max(round(_TAIL * len(edge)), 2)
    far = 1e3 * max(float(np.ptp(edge[:, 0])), 1.0)
    ends = []
    for part, at, sign in ((edge[:tail], edge[0], -1), (edge[-tail:], edge[-1], 1)):
        along, across = part[-1] - part[0]
        ends.append(at + sign * far * np.array([1.0, across / along if along > 0 else 0.0]))
    return np.vstack([ends[0], edge, ends[1]])
