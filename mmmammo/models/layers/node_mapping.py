"""k-NN maps between the pixels of a feature level and the pseudo-landmarks of its image (paper 3, eq. 16 to 18)."""

from __future__ import annotations

import torch
from torch import Tensor

_RANGE = 80.0  # exp(-80) is still a normal float32
_TINY = torch.finfo(torch.float32).tiny


def nearest_nodes(nodes: Tensor, node_mask: Tensor, breast_mask: Tensor, stride: int, k: int) -> Tensor:
    """The k nodes nearest to each pixel, measured from the centre of pixel (x, y) at ((x + .5), (y + .5)) * stride.

    Args:
        nodes: (B, N, 2), (x, y) in network-input pixels.
        node_mask: (B, N) bool, the rows that are nodes; at least k of them where ``breast_mask`` is not empty.
        breast_mask: (B, H, W) bool at this stride.
        stride: Input pixels per feature pixel.
        k: Nodes per pixel.

    Returns:
        (B, H * W, k) int16 node indices in no particular order, -1 outside the breast.
    """
    height, width = breast_mask.shape[1:]
    xs = (torch.arange(width, device=nodes.device) + 0.5) * stride
    ys = (torch.arange(height, device=nodes.device) + 0.5) * stride
    dx2 = (nodes[..., :1] - xs).square().masked_fill(~node_mask[..., None], torch.inf)  # (B, N, W)
    dy2 = (nodes[..., 1:] - ys).square()  # (B, N, H)
    distances = (dy2[..., :, None] + dx2[..., None, :]).flatten(2)  # (B, N, HW)
    nearest = distances.topk(k, dim=1, largest=False, sorted=False).indices.to(torch.int16)
    return nearest.masked_fill(~breast_mask.flatten(1)[:, None], -1).transpose(1, 2)


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

        In float32 even under autocast: a node may have more pixels than half precision can add up.

        Args:
            features: (B, C, H, W).
            sharpness: (C,), t > 0: a node is log(Q_f^T exp(t F)) / t instead, for small t the mean and for large t the
                maximum of its pixels. A lesion is a small part of its node, and a mean weakens it. Pixels that
                are more than 80 / t below the strongest of the breast count as if they were no further.

        Returns:
            (B, N, C).
        """
        with torch.autocast(features.device.type, enabled=False):
            pixels = features.float().flatten(2).transpose(1, 2)
            if sharpness is None:
                return self._mean(pixels)
            outside = ~self.assignment.any(dim=1)[..., None]
            top = pixels.detach().masked_fill(outside, -torch.inf).amax(dim=1, keepdim=True)
            top = top.masked_fill(top == -torch.inf, 0.0)
            means = self._mean(((pixels - top) * sharpness).clamp(min=-_RANGE, max=0.0).exp())
            return torch.where(means > 0, means.clamp(min=_TINY).log() / sharpness + top, 0.0)

    def _mean(self, pixels: Tensor) -> Tensor:
        """(B, HW, C) -> (B, N, C)."""
        return torch.bmm(self.assignment, pixels) / self.assignment.sum(dim=2, keepdim=True).clamp(min=1)

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
            return torch.bmm(columns, self.assignment) / self.k
        return base.baddbmm_(columns.to(base), self.assignment.to(base), alpha=1 / self.k)
