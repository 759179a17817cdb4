"""k-NN maps between the pixels of a feature level and the pseudo-landmarks of its image (paper 3, eq. 16 to 18)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_RANGE = 80.0  # exp(-80) is still a normal float32
_TINY = torch.finfo(torch.float32).tiny


def nearest_nodes(
    nodes: Tensor, node_mask: Tensor, breast_masks: Sequence[Tensor], strides: Sequence[int], k: int
) -> tuple[Tensor, ...]:
    """The k nodes nearest to each pixel of each level, measured from the pixel's centre; all levels at once.

    Args:
        nodes: (B, N, 2), (x, y) in network-input pixels.
        node_mask: (B, N) bool, the rows that are nodes; at least k of them where ``breast_masks`` are not empty.
        breast_masks: (B, H, W) bool of each level.
        strides: Input pixels per feature pixel of each level; the centre of pixel (x, y) is at ((x + .5), (y + .5)) *
            stride.
        k: Nodes per pixel.

    Returns:
        (B, H * W, k) int16 of each level: node indices in no particular order, -1 outside the breast.
    """
    centres = torch.cat([_centres(mask, stride) for mask, stride in zip(breast_masks, strides, strict=True)])
    nodes = nodes.masked_fill(~node_mask[..., None], torch.inf)
    distances = (nodes[..., :1] - centres[:, 0]).square_()  # (B, N, P), P the pixels of all levels
    distances += (nodes[..., 1:] - centres[:, 1]).square_()
    nearest = distances.topk(k, dim=1, largest=False, sorted=False).indices.to(torch.int16)
    inside = torch.cat([mask.flatten(1) for mask in breast_masks], dim=1)
    table = nearest.masked_fill(~inside[:, None], -1).transpose(1, 2)
    return table.split([mask[0].numel() for mask in breast_masks], dim=1)


def _centres(mask: Tensor, stride: int) -> Tensor:
    """(H * W, 2): (x, y) of the pixels of a level, in network-input pixels."""
    ys, xs = ((torch.arange(length, device=mask.device) + 0.5) * stride for length in mask.shape[1:])
    return torch.stack(torch.meshgrid(xs, ys, indexing='xy'), dim=-1).flatten(0, 1)


class NodeMapping:
    r"""The assignment A of one feature level and the two maps that follow from it.

    A_ij is 1 where node j is among the k nearest of breast pixel i. With 26 nodes the dense A is a tenth of a feature
    map of 256 channels, and products with it are faster than gathering and scattering rows.

    Args:
        table: (B, HW, k) int16 from :func:`nearest_nodes`.
        num_nodes: N, the rows of the padded node tensors.
    """

    def __init__(self, table: Tensor, num_nodes: int) -> None:
        batch, pixels, self.k = table.shape
        # Row 0 collects the -1 of pixels outside the breast and is cut off.
        rows = torch.zeros(batch, num_nodes + 1, pixels, device=table.device)
        self.assignment = rows.scatter_(1, table.transpose(1, 2).long() + 1, 1.0)[:, 1:]
        """(B, N, HW) float, A transposed."""

    @property
    def occupied(self) -> Tensor:
        """(B, N) bool: the nodes that have pixels."""
        return self.assignment.any(dim=2)

    def to_nodes(self, features: Tensor, sharpness: Tensor | None = None) -> Tensor:
        """phi_k, X = Q_f^T F with Q_f = A Lambda_f^-1: a node is the mean of its pixels, 0 if it has none.

        At least in float32, even under autocast: a node may have more pixels than half precision can add up.

        Args:
            features: (B, C, H, W).
            sharpness: (C,), t > 0: a node is log(Q_f^T exp(t F)) / t instead, for small t the mean and for large t the
                maximum of its pixels. A lesion is a small part of its node, and a mean weakens it. Pixels that
                are more than 80 / t below the strongest of the breast count as if they were no further.

        Returns:
            (B, N, C).
        """
        with torch.autocast(features.device.type, enabled=False):
            precision = torch.promote_types(features.dtype, torch.float32)
            pixels = features.to(precision).flatten(2).transpose(1, 2)
            if sharpness is None:
                return self._mean(pixels)
            outside = ~self.assignment.any(dim=1)[..., None]
            top = pixels.detach().masked_fill(outside, -torch.inf).amax(dim=1, keepdim=True)
            top = top.masked_fill(top == -torch.inf, 0.0)
            means = self._mean(((pixels - top) * sharpness).clamp(min=-_RANGE, max=0.0).exp())
            return torch.where(means > 0, means.clamp(min=_TINY).log() / sharpness + top, 0.0)

    def _mean(self, pixels: Tensor) -> Tensor:
        """(B, HW, C) -> (B, N, C)."""
        return torch.bmm(self.assignment.to(pixels), pixels) / self.assignment.sum(dim=2, keepdim=True).clamp(min=1)

    def to_pixels(self, values: Tensor, base: Tensor | None = None) -> Tensor:
        """psi_k, F' = Q_r Z with Q_r = Lambda_r^-1 A: a pixel is the mean of its k nodes, 0 outside the breast.

        Args:
            values: (B, N, C).
            base: (B, C, HW), overwritten with its sum with the result, in its own dtype; saves a pass over a large map.

        Returns:
            (B, C, HW).
        """
        columns = values.transpose(1, 2)
        if base is None:
            return torch.bmm(columns, self.assignment.to(columns)) / self.k
        return base.baddbmm_(columns.to(base), self.assignment.to(base), alpha=1 / self.k)
