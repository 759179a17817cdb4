"""A map of scores over an image, one per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.structures.geometry import Affine

FloatMap = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heatmap:
    """How suspicious each place of an image is.

    Args:
        values: (classes, rows, columns) in [0, 1], constant on square cells; nan where nothing was looked at, which is
            outside of the breast.
        cell: Side of a cell in pixels of the image. The last cells may reach over its border.
        shape: (h, w) of the image in pixels.
        origin: (x, y) of the corner of the first cell in pixels of the image.
    """

    values: FloatMap
    cell: float
    shape: tuple[int, int]
    origin: tuple[float, float] = (0.0, 0.0)

    @property
    def image_from_cell(self) -> Affine:
        """Pixels of the image from cells; cell (i, j) covers ``[j, j + 1) x [i, i + 1)``."""
        return Affine.translation(*self.origin) @ Affine.scaling(self.cell)

    @property
    def strongest(self) -> FloatMap:
        """(rows, columns) the greatest value of all classes; nan where nothing was looked at."""
        values: FloatMap = np.fmax.reduce(self.values, axis=0)
        return values

    def at_pixels(self, cells: FloatMap) -> FloatMap:
        """A map of cells at the size of the image, (h, w); 0 where nothing was looked at.

        Args:
            cells: (rows, columns), such as one of ``values``.
        """
        values = np.pad(np.nan_to_num(cells, nan=0.0), 1)  # what lies beyond the cells is 0
        rows, columns = (
            np.clip(np.floor((np.arange(side) + 0.5 - start) / self.cell).astype(np.intp) + 1, 0, last + 1)
            for side, start, last in zip(self.shape, self.origin[::-1], cells.shape, strict=True)
        )
        pixels: FloatMap = values[np.ix_(rows, columns)]
        return pixels
