"""ResNet for one-channel images that starts from RGB weights."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones import ResNet

from mmmammo.models.backbones.gray_stem import adapt_rgb_stem
from mmmammo.registry import MODELS


@MODELS.register_module()
class GrayResNet(ResNet):
    """mmdet's ResNet with ``in_channels=1``, whose first convolution adapts an RGB checkpoint as it loads.

    Args:
        stem_adaptation: 'sum' or 'luma', see ``STEM_WEIGHTS``.
        in_channels: 1; other values are those of the parent and leave checkpoints alone.
        **kwargs: As in :class:`mmdet.models.ResNet`.

    Raises:
        MammoError: If ``stem_adaptation`` is unknown.
    """

    def __init__(self, *args: Any, stem_adaptation: str = 'sum', in_channels: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, in_channels=in_channels, **kwargs)
        self.stem_adaptation = stem_adaptation
        if in_channels == 1:
            adapt_rgb_stem(self, f'{"stem.0" if self.deep_stem else "conv1"}.weight', stem_adaptation)
