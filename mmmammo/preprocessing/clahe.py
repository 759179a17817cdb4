"""Contrast-limited adaptive histogram equalisation that keeps 16-bit precision.

Why not OpenCV's: on 16-bit images it counts 65,536 bins per tile and rounds its clip limit to whole pixels per bin, so
that a tile of a mammogram has about one pixel per bin. The effect then depends on the image size (a quarter of the
resolution changes the image 2.7 times as much) and on how many of the 65,536 levels the detector uses. Here the
histogram has 256 bins, as with 8-bit images, and the mapping between the bins is linear in the exact value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

BINS = 256
_STRIP = 64  # rows at a time, which stay in the cache

FloatImage = npt.NDArray[np.float32]


def clahe_fuse(
    image: npt.NDArray[np.floating],
    clip_limits: Sequence[float] = (2.0, 2.0),
    tile_grids: Sequence[int | Sequence[int]] = (8, 32),
) -> FloatImage:
    """Stack an image with its equalisations at two scales, the three channels of the first paper.

    Args:
        image: (h, w) in [0, 1].
        clip_limits: One per scale; see :func:`clahe`.
        tile_grids: Tiles per side at each scale, or (rows, columns).

    Returns:
        (h, w, 3) float32 in [0, 1]: original, first scale, second scale.

    Raises:
        MammoError: If there are not two scales, or :func:`clahe` refuses the image, a limit or a grid.
    """
    if len(clip_limits) != 2 or len(tile_grids) != 2:
        raise _refused('scales', f'{len(clip_limits)} clip limits, {len(tile_grids)} tile grids', 'two of each')
    equalised = [clahe(image, limit, grid) for limit, grid in zip(clip_limits, tile_grids, strict=True)]
    return np.dstack([np.asarray(image, dtype=np.float32), *equalised])


def clahe(image: npt.NDArray[np.floating], clip_limit: float, tile_grid: int | Sequence[int]) -> FloatImage:
    """Equalise the histogram of each tile, limiting the slope, and blend the mappings between tile centres.

    Black stays black and white stays white, so a background of exactly 0 keeps that value. A left-right mirror of the
    image gives the mirror of the result where the grid divides the width.

    Args:
        image: (h, w) in [0, 1].
        clip_limit: Greatest slope of the mapping, in multiples of an even histogram's; greater than 0.
        tile_grid: Tiles per side, or (rows, columns); no more than the image has pixels.

    Returns:
        (h, w) float32 in [0, 1].

    Raises:
        MammoError: If the image is not (h, w) in [0, 1], or the limit or the grid is out of range.
    """
    image = np.ascontiguousarray(image, dtype=np.float32)
    return TileMappings.of(image, clip_limit, tile_grid).apply(image)


@dataclass(frozen=True, eq=False)
class TileMappings:
    """What the equalisation of a whole image does, ready to be done to any part of it.

    Args:
        tables: (rows, columns, BINS) mapping of each tile at the centres of the bins, from 0 to 1.
        shape: (h, w) of the whole image.
    """

    tables: FloatImage
    shape: tuple[int, int]

    @classmethod
    def of(cls, image: npt.NDArray[np.floating], clip_limit: float, tile_grid: int | Sequence[int]) -> TileMappings:
        """Count an image; arguments and errors are those of :func:`clahe`."""
        image = np.ascontiguousarray(image, dtype=np.float32)
        rows, columns = _checked(image, clip_limit, tile_grid)
        levels = np.rint(image * (BINS - 1)).astype(np.uint8)
        return cls(_tile_mappings(levels, clip_limit, rows, columns), (image.shape[0], image.shape[1]))

    def apply(self, part: FloatImage, top: int = 0, left: int = 0) -> FloatImage:
        """Equalise a part of the image: bit by bit what :func:`clahe` of the whole has there.

        Args:
            part: (h, w), at most the whole image.
            top: Row of the whole image at which it begins.
            left: Likewise, column.
        """
        (rows, columns), (height, width) = self.tables.shape[:2], self.shape
        above, below, down = _neighbours(height, rows, top, top + part.shape[0])
        first, second, across = _neighbours(width, columns, left, left + part.shape[1])
        out = np.empty_like(part)
        for y in range(0, part.shape[0], _STRIP):
            strip = slice(y, y + _STRIP)
            levels = part[strip] * np.float32(BINS - 1)
            bins = np.minimum(levels.astype(np.uint8), BINS - 2)
            levels -= bins
            upper, lower = (
                self._mapped(
                    bins, levels, row[strip, None] * columns + first, row[strip, None] * columns + second, across
                )
                for row in (above, below)
            )
            out[strip] = upper + (lower - upper) * down[strip, None]
        return np.clip(out, 0, 1, out=out)

    def _mapped(
        self,
        bins: npt.NDArray[np.uint8],
        fraction: FloatImage,
        first: npt.NDArray[np.intp],
        second: npt.NDArray[np.intp],
        across: FloatImage,
    ) -> FloatImage:
        """Map by the tiles left and right of each pixel, and blend; tiles are given by their number."""
        sides: list[FloatImage] = []
        for tile in (first, second):
            at = tile * BINS + bins
            value: FloatImage = np.take(self._rises, at)
            value *= fraction  # linear between the centres of a bin and the next one
            value += np.take(self.tables, at)
            sides.append(value)
        left, right = sides
        mapped: FloatImage = left + (right - left) * across
        return mapped

    @cached_property
    def _rises(self) -> FloatImage:
        """From each bin to the next; the last has none."""
        rises = np.zeros_like(self.tables)
        rises[..., :-1] = self.tables[..., 1:] - self.tables[..., :-1]
        return rises


def _tile_mappings(levels: npt.NDArray[np.uint8], clip_limit: float, rows: int, columns: int) -> FloatImage:
    """(rows, columns, BINS) mapping of each tile at the centres of the bins, from 0 to 1."""
    row_edges, column_edges = _edges(levels.shape[0], rows), _edges(levels.shape[1], columns)
    counts = np.empty((rows, columns, BINS), dtype=np.float32)
    for i in range(rows):
        for j in range(columns):
            tile = levels[row_edges[i] : row_edges[i + 1], column_edges[j] : column_edges[j + 1]]
            counts[i, j] = cv2.calcHist([tile], [0], None, [BINS], [0, BINS])[:, 0]
    even = counts.sum(axis=-1, keepdims=True, dtype=np.float64) / BINS
    clipped = np.minimum(counts, clip_limit * even)
    clipped += even - clipped.mean(axis=-1, keepdims=True)  # what was clipped is spread evenly
    heights = clipped.cumsum(axis=-1)
    first, last = heights[..., :1], heights[..., -1:]
    mapping: FloatImage = ((heights - first) / np.maximum(last - first, 1e-12)).astype(np.float32)
    return mapping


def _neighbours(
    length: int, tiles: int, begin: int, end: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatImage]:
    """For the pixels ``begin`` to ``end`` of an axis: the tiles whose centres enclose them, and the second's weight.

    Before the first and after the last centre both are the same tile.
    """
    position = (np.arange(begin, end) + 0.5) * (tiles / length) - 0.5  # in tiles, from the centre of the first
    first = np.floor(position).astype(np.intp)
    return np.maximum(first, 0), np.minimum(first + 1, tiles - 1), (position - first).astype(np.float32)


def _edges(length: int, tiles: int) -> list[int]:
    return [round(i * length / tiles) for i in range(tiles + 1)]


def _checked(image: FloatImage, clip_limit: float, tile_grid: int | Sequence[int]) -> tuple[int, int]:
    """The grid as (rows, columns), after a look at all arguments."""
    if image.ndim != 2 or image.size == 0:
        raise _refused('shape', image.shape, '(h, w)')
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):  # also true of nan
        raise _refused('values', f'{low:g} to {high:g}', 'values in [0, 1]')
    if not clip_limit > 0:
        raise _refused('clip limit', clip_limit, 'a number greater than 0')
    grid = (tile_grid, tile_grid) if isinstance(tile_grid, int) else tuple(tile_grid)
    if len(grid) != 2 or not all(1 <= tiles <= size for tiles, size in zip(grid, image.shape, strict=False)):
        raise _refused('tile grid', tile_grid, f'(rows, columns) between (1, 1) and {image.shape}')
    return grid[0], grid[1]


def _refused(field: str, found: object, expected: str) -> MammoError:
    return MammoError('CLAHE', field=field, found=found, expected=expected, remedy='correct the argument')
