"""Pieces of a map that fit into memory, and how much around each has to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mmmammo.models.sliding.window_grid import Mask
from mmmammo.structures import MammoError

_MORE_SPLITS = 3
"""How many more pieces along a side are tried than are needed: smaller ones leave out more that nobody asks for."""


@dataclass(frozen=True)
class Tile:
    """A piece of a map of cells, ends excluded.

    Args:
        top: First row that the tile answers for.
        bottom: Behind the last one.
        left: First column.
        right: Behind the last one.
        read: The same four, of the cells that are read: more on all sides, as far as the map goes.
    """

    top: int
    bottom: int
    left: int
    right: int
    read: tuple[int, int, int, int]

    @property
    def read_cells(self) -> int:
        """Cells that are read."""
        top, bottom, left, right = self.read
        return (bottom - top) * (right - left)


def plan_tiles(needed: Mask, overlap: int, side: int) -> list[Tile]:
    """Cover the needed cells of a map by tiles, reading as little as possible.

    The box around the needed cells is divided evenly, each part is cut to what is needed in it, and empty ones are left
    out. Of the divisions whose parts fit, the one that reads least is taken.

    Args:
        needed: (rows, columns) of the map.
        overlap: Cells that are read around what a tile answers for.
        side: No tile reads more than ``side`` x ``side`` cells; it may be longer and narrower.

    Raises:
        MammoError: If nothing fits besides the overlap.
    """
    if not needed.any():
        return []
    plans = list(_fitting(needed, overlap, side**2)) if _one_cell_fits(needed, overlap, side**2) else []
    if not plans:
        least = 2 * overlap + 1
        raise MammoError(
            'tiles',
            field='tile',
            found=f'{side} x {side} cells',
            expected=f'at least {least} x {least}, one cell with the overlap on all sides',
            remedy='allow larger tiles, or take the mode that reads windows one by one',
        )
    return min(plans, key=lambda tiles: (sum(tile.read_cells for tile in tiles), len(tiles)))


def _one_cell_fits(needed: Mask, overlap: int, most: int) -> bool:
    """Whether any needed cell can be a tile of its own; where one cannot, no division has to be tried."""
    reads = [
        np.minimum(at + overlap + 1, n) - np.maximum(at - overlap, 0)
        for at, n in zip(np.nonzero(needed), needed.shape, strict=True)
    ]
    return int((reads[0] * reads[1]).max()) <= most


def _fitting(needed: Mask, overlap: int, most: int) -> Iterator[list[Tile]]:
    """Divisions whose tiles read at most so many cells: for each number of columns the fewest rows, and some more."""
    top, bottom, left, right = _bounds(needed)
    found_columns = 0
    for across in range(1, right - left + 1):
        found = 0
        for down in range(1, bottom - top + 1):
            if tiles := _all_that_fit(_divided(needed, overlap, (down, across)), most):
                found += 1
                yield tiles
            if found > _MORE_SPLITS:
                break
        found_columns += found > 0
        if found_columns > _MORE_SPLITS:
            return


def _all_that_fit(tiles: Iterable[Tile], most: int) -> list[Tile]:
    """The tiles, or none from the first one on that reads more."""
    fitting = []
    for tile in tiles:
        if tile.read_cells > most:
            return []
        fitting.append(tile)
    return fitting


def _divided(needed: Mask, overlap: int, splits: tuple[int, int]) -> Iterator[Tile]:
    top, bottom, left, right = _bounds(needed)
    rows, columns = (
        np.unique(np.linspace(first, last, parts + 1).round().astype(int)).tolist()
        for first, last, parts in ((top, bottom, splits[0]), (left, right, splits[1]))
    )
    for upper, lower in pairwise(rows):
        for start, end in pairwise(columns):
            part = needed[upper:lower, start:end]
            if part.any():
                y1, y2, x1, x2 = _bounds(part)
                yield _tile((upper + y1, upper + y2, start + x1, start + x2), overlap, needed.shape)


def _tile(kept: tuple[int, int, int, int], overlap: int, shape: tuple[int, ...]) -> Tile:
    top, bottom, left, right = kept
    read = (
        max(top - overlap, 0),
        min(bottom + overlap, shape[0]),
        max(left - overlap, 0),
        min(right + overlap, shape[1]),
    )
    return Tile(top, bottom, left, right, read)


def _bounds(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
