"""Attention over channels, then over places, within one image (CBAM)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmmammo.registry import MODELS


@MODELS.register_module()
class CBAM(nn.Module):
    r"""Convolutional block attention module, a plugin of mmdet's residual blocks.

    Woo et al., ECCV 2018: F' = sigmoid(MLP(avg F) + MLP(max F)) o F, the mean and maximum over places; then
    F'' = sigmoid(conv7x7([avg F', max F'])) o F', those over channels.

    Args:
        in_channels: C.
        ratio: C over the width of the MLP.
        kernel_size: Of the convolution over places.
    """

    _abbr_ = 'cbam'

    def __init__(self, in_channels: int, ratio: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        hidden = max(in_channels // ratio, 1)
        self.mlp = nn.Sequential(nn.Linear(in_channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, in_channels))
        self.place = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        channel = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * torch.sigmoid(channel)[:, :, None, None]
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.place(pooled))
