"""The crop to the breast that NYU's four-view model was trained on, and where the breast ends in it.

Written from the description of Wu et al., "Deep neural networks improve radiologists' performance in breast cancer
screening" (IEEE TMI 2020), and the crop windows they publish for a sample exam. It needs a background of exact zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

Mask = npt.NDArray[np.bool_]

ITERATIONS = 100
"""Erosions and dilations by a cross, at their resolution of about 0.07 mm."""
BUFFER = 50
"""Pixels kept above, below and in front of the breast, at the same resolution."""


@dataclass(frozen=True)
class NYUCrop:
    """A crop window and the farthest points of the breast in it.

    Points are pixel indices of the crop once it faces right. Those of an image that faces left are mirrored by ``x ->
    width - x``, one pixel further right than mirroring the pixels would put them: so are the published ones.

    Args:
        window: (top, bottom, left, right) in the image as it was given; bottom and right are not in it.
        rightmost: ``((y0, y1), x)``, the rows of the farthest pixels below the top third, and their column.
        bottommost: ``(y, (x0, x1))``, the lowest row and the columns of its pixels.
        distance_from_starting_side: Columns between the breast and the edge it should lie on. Not 0: the image
            probably faces the other way.
    """

    window: tuple[int, int, int, int]
    rightmost: tuple[tuple[int, int], int]
    bottommost: tuple[int, tuple[int, int]]
    distance_from_starting_side: int

    def cut(self, image: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The crop of (..., h, w), as a view of it."""
        top, bottom, left, right = self.window
        return image[..., top:bottom, left:right]


def nyu_crop(
    image: npt.NDArray[np.floating], faces_right: bool = True, iterations: int = ITERATIONS, buffer: int = BUFFER
) -> NYUCrop:
    """Find the crop window of an image.

    What is above zero is opened by a cross so many times, and the largest region that survives the erosions is the
    breast. The window is its bounding box with a buffer on all sides but that of the chest wall.

    Args:
        image: (h, w), zero where there is nothing.
        faces_right: Whether the chest wall is on the left edge, as in every prepared image.
        iterations: Of the erosion and of the dilation.
        buffer: In pixels.

    Raises:
        MammoError: If nothing survives the erosions.
    """
    mask = _largest(erode(np.asarray(image) > 0, iterations))
    if not mask.any():
        raise MammoError(
            'nyu_crop',
            field='image',
            found=f'nothing that survives {iterations} erosions in {mask.shape[0]} x {mask.shape[1]} pixels',
            expected='a breast',
            remedy='scale iterations and buffer with the resolution (100 and 50 are for 0.07 mm)',
        )
    mask = dilate(mask, iterations)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    first, last = int(columns[0]), int(columns[-1])
    height, width = mask.shape
    left, right = (first, min(last + 1 + buffer, width)) if faces_right else (max(first - buffer, 0), last + 1)
    window = (max(int(rows[0]) - buffer, 0), min(int(rows[-1]) + 1 + buffer, height), left, right)
    distance = first if faces_right else width - 1 - last
    return _with_points(mask, window, distance, faces_right)


def erode(mask: Mask, iterations: int) -> Mask:
    """Erode by a cross of 3 x 3 so many times; what is beyond the image counts as empty.

    A pixel survives n times if it is more than n steps, up, down or sideways, from the nearest empty one.
    """
    steps = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L1, cv2.DIST_MASK_3)
    return np.asarray(steps[1:-1, 1:-1] > iterations, dtype=bool)


def dilate(mask: Mask, iterations: int) -> Mask:
    """Dilate by a cross of 3 x 3 so many times."""
    if not mask.any():
        return mask
    steps = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L1, cv2.DIST_MASK_3)
    return np.asarray(steps <= iterations, dtype=bool)


def _largest(mask: Mask) -> Mask:
    """The largest region of pixels that share sides; the first of equals."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), dtype=bool)


def _with_points(mask: Mask, window: tuple[int, int, int, int], distance: int, faces_right: bool) -> NYUCrop:
    top, bottom, left, right = window
    inside = mask[top:bottom, left:right]
    turned = inside if faces_right else inside[:, ::-1]
    shift = 0 if faces_right else 1  # w - x is one more than the index of the mirrored pixel
    upper = turned.shape[0] // 3
    lower = turned[upper:] if turned[upper:].any() else turned  # all of a breast in the top third: look there
    offset = upper if lower is not turned else 0
    x = int(np.flatnonzero(lower.any(axis=0))[-1])
    rows = np.flatnonzero(lower[:, x]) + offset
    y = int(np.flatnonzero(turned.any(axis=1))[-1])
    columns = np.flatnonzero(turned[y]) + shift
    return NYUCrop(
        window,
        ((int(rows[0]), int(rows[-1])), x + shift),
        (y, (int(columns[0]), int(columns[-1]))),
        distance,
    )
