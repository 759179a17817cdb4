"""Which way a breast points, and turning it so that the chest wall is on the left."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mmmammo.preprocessing.small_copy import SmallCopy
from mmmammo.structures import Affine, Laterality

_Pixel = TypeVar('_Pixel', bound=np.generic)


def breast_side(image: npt.NDArray[np.floating]) -> Laterality:
    """Find the side of the image on which the chest wall lies, from the pixels alone.

    The breast is broad at the chest wall and narrow at the nipple. Only its own outline counts, so dark margins on
    either side do no harm. As displayed, a left breast has its chest wall on the left; a mirrored file does not.

    Args:
        image: (h, w), breast bright on dark.

    Returns:
        ``LEFT`` or ``RIGHT``; ``UNKNOWN`` where no breast is found.

    Raises:
        MammoError: If the image is not (h, w).
    """
    return SmallCopy.of(image).side


def orient_chest_left(image: npt.NDArray[_Pixel], laterality: Laterality | str) -> tuple[npt.NDArray[_Pixel], Affine]:
    """Mirror an image whose chest wall is on the right.

    Args:
        image: (h, w) or (h, w, channels).
        laterality: Side of the chest wall as displayed. ``'U'`` leaves the image as it is.

    Returns:
        The image and the map from its old pixels to its new ones.
    """
    if Laterality(laterality) is not Laterality.RIGHT:
        return image, Affine.identity()
    return np.ascontiguousarray(image[:, ::-1]), Affine.mirror(image.shape[1])
