"""A small copy of an image, on which everything is looked for, and the breast in it; each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mmmammo.preprocessing.breast_mask import Mask, breast_mask_of_small, shrink, wall_is_left
from mmmammo.structures import Laterality

FloatImage = npt.NDArray[np.floating]

CROP_MARGIN = 0.02
"""Kept around a breast, as a fraction of the longer side of its box."""


@dataclass(frozen=True, eq=False)
class SmallCopy:
    """What several steps ask of one image; worked out when it is first asked for.

    Pixels of the image are ``factor`` times those of the copy.

    Args:
        pixels: (h, w) finite float32, at most 1024 pixels a side.
        factor: Pixels of the image per pixel of the copy.
        shape: (h, w) of the image; a rest narrower than ``factor`` at its right and lower edge is not in the copy.
    """

    pixels: npt.NDArray[np.float32]
    factor: int
    shape: tuple[int, int]

    @classmethod
    def of(cls, image: FloatImage) -> SmallCopy:
        """Average an image down, see :func:`mmmammo.preprocessing.breast_mask.shrink`.

        Raises:
            MammoError: If the image is not (h, w).
        """
        pixels, factor = shrink(image)
        return cls(pixels, factor, (image.shape[0], image.shape[1]))

    @cached_property
    def breast(self) -> Mask:
        """(h, w) mask of the breast in the copy; all False where there is nothing to find."""
        return breast_mask_of_small(self.pixels)

    @cached_property
    def side(self) -> Laterality:
        """Side of the image on which the chest wall lies, see :func:`mmmammo.preprocessing.breast_side`."""
        if not self.breast.any():
            return Laterality.UNKNOWN
        return Laterality.LEFT if wall_is_left(self.breast) else Laterality.RIGHT

    def box(self, margin: float = CROP_MARGIN) -> tuple[int, int, int, int]:
        """Box (x1, y1, x2, y2) around the breast in pixels of the image; all of the image where there is no breast.

        Args:
            margin: Kept on all sides but that of the chest wall, as a fraction of the longer side of the box.
        """
        height, width = self.shape
        if self.side is Laterality.UNKNOWN:
            return 0, 0, width, height
        x1, x2 = self._ends(np.asarray(self.breast.any(axis=0)), width)
        y1, y2 = self._ends(np.asarray(self.breast.any(axis=1)), height)
        border = round(margin * max(x2 - x1, y2 - y1))
        left, right = (0, border) if self.side is Laterality.LEFT else (border, 0)
        return max(x1 - left, 0), max(y1 - border, 0), min(x2 + right, width), min(y2 + border, height)

    def _ends(self, marked: npt.NDArray[np.bool_], size: int) -> tuple[int, int]:
        """First and last along an axis, in pixels of the image; the rest beyond the copy belongs to its last pixel."""
        at = np.flatnonzero(marked)
        end = size if at[-1] == len(marked) - 1 else (int(at[-1]) + 1) * self.factor
        return int(at[0]) * self.factor, end
