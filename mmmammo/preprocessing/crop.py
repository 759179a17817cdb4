"""Crop to the breast, and the affine that says what the crop did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.preprocessing.small_copy import CROP_MARGIN, SmallCopy
from mmmammo.structures import Affine

FloatImage = npt.NDArray[np.floating]


def crop_to_breast(image: FloatImage, margin: float = CROP_MARGIN) -> tuple[FloatImage, Affine]:
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
    x1, y1, x2, y2 = SmallCopy.of(image).box(margin)
    return image[y1:y2, x1:x2], Affine.translation(-float(x1), -float(y1))
