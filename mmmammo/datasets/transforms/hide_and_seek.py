"""Hide-and-Seek: parts of a training image are hidden, so that a classifier must look at all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator, checked_probability
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError


def hide_cells(
    image: npt.NDArray[np.floating], hidden: npt.NDArray[np.bool_], cell: int, fill: float
) -> npt.NDArray[np.floating]:
    """A copy of an image with some cells of a square grid filled.

    Args:
        image: (h, w) or (h, w, channels).
        hidden: (ceil(h / cell), ceil(w / cell)); the last row and column of cells may be cut.
        cell: Pixels per side of a cell.
        fill: Their value.
    """
    height, width = image.shape[:2]
    shown = image.copy()
    shown[hidden.repeat(cell, axis=0)[:height].repeat(cell, axis=1)[:, :width]] = fill
    return shown


@TRANSFORMS.register_module()
class HideAndSeek(BaseTransform):
    """Hide each cell of a grid with some probability (Kumar Singh & Lee, ICCV 2017). For training pipelines only.

    Modified Keys:

    - img

    Args:
        cell: Pixels per side of a cell; 4 in the WSOL benchmark, 16 to 56 in the method's paper.
        prob: Of each cell to be hidden; 0 leaves the plain network.
        fill: Value of hidden pixels: the ``mean`` of the data preprocessor, so that the network sees 0.

    Raises:
        MammoError: If ``cell`` or ``prob`` is out of range.
    """

    def __init__(self, cell: int = 4, prob: float = 0.5, fill: float = 0.459) -> None:
        if cell < 1:
            raise MammoError(
                'HideAndSeek', field='cell', found=cell, expected='at least 1 pixel', remedy='correct it in the config'
            )
        self.cell = cell
        self.prob = checked_probability('HideAndSeek', prob)
        self.fill = fill

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Hide cells."""
        rows, columns = (-(-side // self.cell) for side in results['img'].shape[:2])
        hidden = call_generator().random((rows, columns)) < self.prob
        results['img'] = hide_cells(results['img'], hidden, self.cell, self.fill)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(cell={self.cell}, prob={self.prob}, fill={self.fill})'
