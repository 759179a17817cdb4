"""Crop to the breast, and the affine that says what the crop did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.preprocessing.breast_mask import segment_breast, wall_is_left
from mmmammo.structures import Affine

FloatImage = npt.NDArray[np.floating]


def crop_to_breast(image: FloatImage, margin: float = 0.02) -> tuple[FloatImage, Affine]:
    """Cut the image to the bounding box of the breast.

    The side of the chest wall gets no margin: the wall stays the edge of the image, or becomes it when the image was
    padded there. An image without a breast comes back whole, with the identity.

    Args:
        image: (h, w), breast bright on dark.
        margin: Kept on the other three sides, as a fraction of the longer side of the box.

    Returns:
        A view of the image, and the map to its pixels from those of ``image``.

    Raises:
        MammoError: If the image is not (h, w).
    """
    mask = segment_breast(image)
    if not mask.any():
        return image, Affine.identity()
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    border = round(margin * max(len(rows), len(columns)))
    wall_left = wall_is_left(mask)
    y0, y1 = max(rows[0] - border, 0), rows[-1] + 1 + border
    x0 = max(columns[0] - (0 if wall_left else border), 0)
    x1 = columns[-1] + 1 + (border if wall_left else 0)
    return image[y0:y1, x0:x1], Affine.translation(-float(x0), -float(y0))
