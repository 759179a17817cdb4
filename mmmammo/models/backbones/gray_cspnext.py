"""CSPNeXt for one-channel images that starts from RGB weights."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones import CSPNeXt
from torch import nn

from mmmammo.models.backbones.gray_stem import adapt_rgb_stem
from mmmammo.registry import MODELS


@MODELS.register_module()
class GrayCSPNeXt(CSPNeXt):
    """mmdet's CSPNeXt for one channel, whose first convolution adapts an RGB checkpoint as it loads.

    Args:
        stem_adaptation: 'sum' or 'luma', see ``STEM_WEIGHTS``.
        **kwargs: As in :class:`mmdet.models.CSPNeXt`.

    Raises:
        MammoError: If ``stem_adaptation`` is unknown.
    """

    def __init__(self, *args: Any, stem_adaptation: str = 'sum', **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rgb = self.stem[0].conv  # the parent takes three channels, whatever the config says
        self.stem[0].conv = nn.Conv2d(
            1, rgb.out_channels, rgb.kernel_size, stride=rgb.stride, padding=rgb.padding, bias=rgb.bias is not None
        )
        adapt_rgb_stem(self, 'stem.0.conv.weight', stem_adaptation)
