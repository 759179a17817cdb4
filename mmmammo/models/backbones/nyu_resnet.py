"""ResNet-22: a slim pre-activation ResNet for mammograms at full resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

_BN = {'type': 'BN'}
_KAIMING = (
    {'type': 'Kaiming', 'layer': 'Conv2d'},
    {'type': 'Constant', 'layer': ['_BatchNorm', 'GroupNorm'], 'val': 1},
)


class PreActivationBlock(nn.Module):
    """Two convolutions, each behind its norm and ReLU (He et al., ECCV 2016).

    Args:
        in_channels: Of the input.
        channels: Of the output.
        stride: Of the first convolution.
        downsample: Whether the shortcut is a 1x1 convolution of the *activated* input, as at the start of every stage.
        norm_cfg: Of both norms.
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, downsample: bool, norm_cfg: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.norm1 = build_norm_layer(dict(norm_cfg), in_channels)[1]
        self.downsample = nn.Conv2d(in_channels, channels, 1, stride, bias=False) if downsample else None
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.norm2 = build_norm_layer(dict(norm_cfg), channels)[1]
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_channels, h, w) -> (n, channels, ceil(h / stride), ceil(w / stride))."""
        active = F.relu(self.norm1(x))
        shortcut = x if self.downsample is None else self.downsample(active)
        return shortcut + self.conv2(F.relu(self.norm2(self.conv1(active))))


@MODELS.register_module()
class NYUResNet(BaseModule):
    """The column of NYU's four-view model (Wu et al., IEEE TMI 2020), written from its description.

    ::

        conv 7x7, stride 2, no padding -> max pool 3, stride 2 -> stages of blocks -> norm, ReLU

    With the defaults it is their ResNet-22: 2,799,536 parameters with one channel, 2,801,104 with three. A CC view of
    2677 x 1942 pixels becomes 42 x 31 cells, an MLO view of 2974 x 1748 becomes 47 x 28.

    Args:
        in_channels: 1 for the image; 3 for the image and its heatmaps of benign and malignant findings.
        widths: Channels of the stages.
        blocks: Per stage.
        strides: Of the stages.
        norm_cfg: Of all norms.
        init_cfg: Initial weights.

    Raises:
        MammoError: If there are not as many strides as widths.
    """

    def __init__(
        self,
        in_channels: int = 1,
        widths: Sequence[int] = (16, 32, 64, 128, 256),
        blocks: int = 2,
        strides: Sequence[int] = (1, 2, 2, 2, 2),
        norm_cfg: Mapping[str, Any] = _BN,
        init_cfg: Any = _KAIMING,
    ) -> None:
        super().__init__(init_cfg=list(init_cfg) if isinstance(init_cfg, tuple) else init_cfg)
        if len(widths) != len(strides) or not widths:
            raise MammoError(
                'NYUResNet',
                field='widths, strides',
                found=(tuple(widths), tuple(strides)),
                expected='one stride per width',
                remedy='correct the config',
            )
        self.stem = nn.Conv2d(in_channels, widths[0], 7, 2, bias=False)
        stages, channels = [], widths[0]
        for width, stride in zip(widths, strides, strict=True):
            first = PreActivationBlock(channels, width, stride, True, norm_cfg)
            rest = [PreActivationBlock(width, width, 1, False, norm_cfg) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(first, *rest))
            channels = width
        self.stages = nn.Sequential(*stages)
        self.norm = build_norm_layer(dict(norm_cfg), channels)[1]
        self.out_channels = channels

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(n, in_channels, h, w) -> ((n, out_channels, h', w'),)."""
        x = F.max_pool2d(self.stem(x), 3, 2)
        return (F.relu(self.norm(self.stages(x))),)
