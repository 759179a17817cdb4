"""A fixed grid of tokens over an image: feature levels to tokens and back, the padding left out."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class TokenGrid:
    """The same number of tokens per image whatever its size, so that attention over an exam has bounded memory.

    Each image has its own grid, laid over what of the batch is image and not padding, so that its tokens do not depend
    on the other images. A token is the mean of the pixels of its cell.

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
        xs = (torch.arange(columns, device=sizes.device) + 0.5) / columns
        ys = (torch.arange(rows, device=sizes.device) + 0.5) / rows
        self.places = torch.stack(torch.meshgrid(xs, ys, indexing='xy'), dim=-1).flatten(0, 1)
        """(T, 2), centres of the cells with the image as [0, 1]^2."""

    def pool(self, features: Tensor) -> Tensor:
        """(B, T, C), the tokens of one level.

        Args:
            features: (B, C, H, W).
        """
        rows, columns = (_means(n, length, count) for n, length, count in self._axes(features.shape[2:]))
        # An image is a rectangle, so the mean over a cell is one over rows and one over columns: two products whose
        # gradient needs no copy of the features, and which half precision, too, adds up in float32.
        pooled = rows[:, None].to(features) @ (features @ columns[:, None].mT.to(features))
        return pooled.flatten(2).transpose(1, 2)

    def spread(self, tokens: Tensor, shape: tuple[int, int]) -> Tensor:
        """The inverse way, smoothly: (B, T, C) to (B, C, *shape) by bilinear interpolation; 0 in the padding."""
        maps = tokens.transpose(1, 2).unflatten(2, self.grid)
        rows, columns = (_shares(n, length, count) for n, length, count in self._axes(shape))
        return rows[:, None].to(maps) @ maps @ columns[:, None].mT.to(maps)

    def _axes(self, shape: tuple[int, ...]) -> list[tuple[Tensor, int, int]]:
        """Per axis, rows first: (B,) feature pixels of each image, feature pixels of the batch, cells."""
        found = []
        for length, count, extent, sizes in zip(shape, self.grid, self.input_shape, self.sizes.T.flip(0), strict=True):
            # those whose centre lies in the image, and the first one
            pixels = (sizes * (length / extent) + 0.5).ceil().long() - 1
            found.append((pixels.clamp(1, length), length, count))
        return found


def _means(pixels: Tensor, length: int, count: int) -> Tensor:
    """(B, count, length): what each feature pixel adds to the mean of each cell along one axis.

    Cells overlap where they do not divide evenly, so that each has a pixel even on a level coarser than the grid.
    """
    at, cells = torch.arange(length, device=pixels.device), torch.arange(count, device=pixels.device)
    begin = cells * pixels[:, None] // count  # (B, count)
    end = -(-(cells + 1) * pixels[:, None] // count)
    member = ((at >= begin[..., None]) & (at < end[..., None])).float()
    return member / member.sum(dim=2, keepdim=True)


def _shares(pixels: Tensor, length: int, count: int) -> Tensor:
    """(B, length, count): what each cell adds to each feature pixel along one axis, by linear interpolation."""
    at, cells = torch.arange(length, device=pixels.device), torch.arange(count, device=pixels.device)
    centre = ((at + 0.5) * count / pixels[:, None] - 0.5).clamp(0, count - 1)  # (B, length), in cells
    near = (1 - (centre[..., None] - cells).abs()).clamp(min=0)
    return near * (at < pixels[:, None])[..., None]


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
