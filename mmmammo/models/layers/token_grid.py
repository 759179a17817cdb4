"""A fixed grid of tokens over an image: feature levels to tokens and back, the padding left out."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class TokenGrid:
    """The same number of tokens per image whatever its size, so that attention over an exam has bounded memory.

    The grid is laid over the padded batch. A token is the mean of the pixels of its cell that lie in the image; one
    without such a pixel is not valid.

    Args:
        grid: (rows, columns).
        sizes: (B, 2), width and height of each image without padding, in network-input pixels.
        input_shape: (H, W) of the padded batch.
    """

    def __init__(self, grid: tuple[int, int], sizes: Tensor, input_shape: tuple[int, int]) -> None:
        self.grid = grid
        self.sizes = sizes
        self.input_shape = input_shape
        rows, columns = grid
        height, width = input_shape
        xs = (torch.arange(columns, device=sizes.device) + 0.5) * (width / columns)
        ys = (torch.arange(rows, device=sizes.device) + 0.5) * (height / rows)
        centres = torch.stack(torch.meshgrid(xs, ys, indexing='xy'), dim=-1).flatten(0, 1)  # (T, 2)
        self.places = centres / sizes[:, None]
        """(B, T, 2), centres of the cells with the image, not the padded batch, as [0, 1]^2."""

    def pool(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of one level.

        Args:
            features: (B, C, H, W).

        Returns:
            (B, T, C) tokens, 0 where not valid, and (B, T) bool whether they are.
        """
        rows, columns = (
            self._shares(length, count, extent, sizes)
            for length, count, extent, sizes in zip(
                features.shape[2:], self.grid, self.input_shape, self.sizes.T.flip(0), strict=True
            )
        )
        # An image is a rectangle, so the mean over a cell is one over rows and one over columns: two products whose
        # gradient needs no copy of the features, and which half precision, too, adds up in float32.
        pooled = rows[:, None].to(features) @ (features @ columns[:, None].mT.to(features))
        valid = rows.any(dim=2)[:, :, None] & columns.any(dim=2)[:, None]
        return pooled.flatten(2).transpose(1, 2), valid.flatten(1)

    def spread(self, tokens: Tensor, shape: tuple[int, int]) -> Tensor:
        """The inverse way, smoothly: (B, T, C) to (B, C, *shape) by bilinear interpolation."""
        maps = tokens.transpose(1, 2).unflatten(2, self.grid)
        return F.interpolate(maps, size=tuple(shape), mode='bilinear', align_corners=False)

    @staticmethod
    def _shares(length: int, count: int, extent: int, sizes: Tensor) -> Tensor:
        """(B, count, length): what each of ``length`` feature pixels adds to each of ``count`` cells along one axis.

        Cells overlap where they do not divide evenly, so that each has a pixel even on a level coarser than the grid.
        """
        cells, pixels = torch.arange(count), torch.arange(length)
        begin, end = cells * length // count, -(-(cells + 1) * length // count)
        member = ((pixels >= begin[:, None]) & (pixels < end[:, None])).to(sizes.device)
        inside = (pixels.to(sizes.device) + 0.5) * (extent / length) < sizes[:, None]  # (B, length)
        weights = (member & inside[:, None]).float()
        return weights / weights.sum(dim=2, keepdim=True).clamp(min=1)


def sine_encoding(places: Tensor, channels: int) -> Tensor:
    """Waves of a place: half of the channels for x, half for y.

    Wavelengths from 2 down to 2 / 2^(channels / 4 - 1), but no shorter than 1 / 32.

    Args:
        places: (..., 2).
        channels: A multiple of 4.

    Returns:
        (..., channels).
    """
    octaves = torch.linspace(0, min(channels // 4 - 1, 6), channels // 4, device=places.device)
    phases = math.pi * places[..., None] * 2**octaves  # (..., 2, channels / 4)
    return torch.cat([phases.sin(), phases.cos()], dim=-1).flatten(-2)
