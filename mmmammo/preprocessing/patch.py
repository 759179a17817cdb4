"""Square patches around findings."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError


def crop_patch(
    image: npt.NDArray[np.floating], box: npt.ArrayLike, size: int, context: float = 1.5
) -> npt.NDArray[np.float32]:
    """Cut out a finding with what surrounds it, always as a square of one size.

    Args:
        image: (h, w).
        box: (x1, y1, x2, y2) of the finding; it may reach over the border, where the patch is black.
        size: Pixels of either side of the patch.
        context: Side of the square that is cut out, as a multiple of the longer side of the box.

    Returns:
        (size, size).

    Raises:
        MammoError: If the box is not finite or empty, or a size not positive.
    """
    x1, y1, x2, y2 = (float(value) for value in np.asarray(box, dtype=np.float64).reshape(4))
    longer = max(x2 - x1, y2 - y1)
    if not (np.isfinite([x1, y1, x2, y2]).all() and x2 > x1 and y2 > y1 and size > 0 and context > 0):
        raise MammoError(
            'crop_patch',
            field='box, size, context',
            found=f'{(x1, y1, x2, y2)}, {size}, {context}',
            expected='a finite box (x1, y1, x2, y2) with x1 < x2 and y1 < y2, and sizes above 0',
            remedy='leave out findings without extent',
        )
    side = max(1, round(context * longer))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    patch = np.zeros((side, side), np.float32)
    height, width = image.shape
    ys, xs = slice(max(top, 0), min(top + side, height)), slice(max(left, 0), min(left + side, width))
    if ys.start < ys.stop and xs.start < xs.stop:
        patch[ys.start - top : ys.stop - top, xs.start - left : xs.stop - left] = image[ys, xs]
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR  # bilinear aliases when it shrinks
    return np.asarray(cv2.resize(patch, (size, size), interpolation=method), dtype=np.float32)
