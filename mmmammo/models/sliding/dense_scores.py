"""All windows from one pass over the view: features once, each window a block of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from mmpretrain.models.classifiers import BaseClassifier
from torch import Tensor

from mmmammo.models.sliding.tiles import Tile, plan_tiles
from mmmammo.models.sliding.window_grid import Mask, WindowGrid

_STRIP = 16  # rows of windows that the head takes at once


def score_blocks(
    model: BaseClassifier,
    image: Tensor,
    grid: WindowGrid,
    wanted: Mask,
    context: int,
    cell: int,
    overlap: int,
    tile: int,
    bfloat16: bool = False,
) -> npt.NDArray[np.floating]:
    """Scores of the windows that are wanted, by blocks of the view's features.

    Args:
        model: Its backbone has ``cell`` pixels per cell, its head a ``score_map``.
        image: (c, H, W), see :func:`~mmmammo.models.sliding.window_scores.pad_image`.
        grid: Of the windows; their side and stride are multiples of ``cell``.
        wanted: (rows, columns), at least one.
        context: Pixels that the image was padded by on all sides; a multiple of ``cell``.
        cell: Pixels.
        overlap: Cells read around what a tile answers for.
        tile: At most ``tile`` x ``tile`` pixels are read at once.
        bfloat16: See :class:`~mmmammo.models.sliding.SlidingSettings`.

    Returns:
        (classes, rows, columns) in the precision of the model, nan where not wanted.
    """
    needed = _needed_cells(grid, wanted, cell, context // cell, (image.shape[1] // cell, image.shape[2] // cell))
    features, origin = _features(model, image, plan_tiles(needed, overlap, tile // cell), needed, cell, bfloat16)
    logits = _head_over(model, features, grid.window // cell, grid.stride // cell)
    per_step, inset = grid.stride // cell, context // cell
    first = [(inset - start) // per_step for start in origin]  # index in logits of the grid's first window
    rows, columns = np.nonzero(wanted)
    found = torch.sigmoid(logits[:, torch.from_numpy(rows) + first[0], torch.from_numpy(columns) + first[1]])
    values = found.cpu().numpy()
    scores = np.full((len(found), *grid.counts), np.nan, dtype=values.dtype)
    scores[:, rows, columns] = values
    return scores


def _needed_cells(grid: WindowGrid, wanted: Mask, cell: int, inset: int, shape: tuple[int, int]) -> Mask:
    """(rows, columns) of the map: the cells of any wanted window."""
    per_step = grid.stride // cell
    needed = np.zeros(shape, dtype=bool)
    under = grid.cells_under(wanted).repeat(per_step, axis=0).repeat(per_step, axis=1)
    needed[inset : inset + under.shape[0], inset : inset + under.shape[1]] = under
    return needed


def _features(
    model: BaseClassifier, image: Tensor, tiles: list[Tile], needed: Mask, cell: int, bfloat16: bool
) -> tuple[Tensor, tuple[int, int]]:
    """The needed part of the map, (1, channels, rows, columns), zero where no tile is, and its first row and column."""
    rows, columns = np.flatnonzero(needed.any(axis=1)), np.flatnonzero(needed.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    features = image.new_zeros(0)
    for tile in tiles:
        part = _of_tile(model, image, tile, cell, bfloat16)
        if not features.numel():
            shape = (1, part.shape[1], int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)
            features = part.new_zeros(shape).contiguous(memory_format=torch.channels_last)  # as the head is quicker
        place = np.s_[..., tile.top - top : tile.bottom - top, tile.left - left : tile.right - left]
        features[place] = part
    return features, (top, left)


def _of_tile(model: BaseClassifier, image: Tensor, tile: Tile, cell: int, bfloat16: bool) -> Tensor:
    """(1, channels, rows, columns) of what the tile answers for."""
    top, bottom, left, right = tile.read
    inputs = image[None, :, top * cell : bottom * cell, left * cell : right * cell]
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=bfloat16):
        features = model.backbone(inputs.contiguous(memory_format=torch.channels_last))[-1]
    kept = np.s_[..., tile.top - top : tile.bottom - top, tile.left - left : tile.right - left]
    return features[kept].to(image.dtype)


def _head_over(model: BaseClassifier, features: Tensor, span: int, step: int) -> Tensor:
    """(classes, rows, columns) logits of every ``step``-th block of ``span`` cells, from strips of some rows each."""
    height = features.shape[2] - span + 1
    strips = [
        model.head.score_map(features[:, :, first : min(first + _STRIP * step, height) + span - 1], span)[0]
        for first in range(0, height, _STRIP * step)
    ]
    return torch.cat([strip[:, ::step, ::step] for strip in strips], dim=1)
