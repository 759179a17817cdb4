"""ResNet for one-channel images that starts from RGB weights."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.backbones import ResNet
from torch import Tensor

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

STEM_WEIGHTS = {'sum': (1.0, 1.0, 1.0), 'luma': (0.299, 0.587, 0.114)}
"""Weights of a checkpoint's R, G and B filters in the one filter that replaces them."""


@MODELS.register_module()
class GrayResNet(ResNet):
    """mmdet's ResNet with ``in_channels=1``, whose first convolution adapts an RGB checkpoint as it loads.

    Args:
        stem_adaptation: 'sum' responds to a grey image exactly as the RGB network does to its three copies. 'luma' is
            the formula of paper 3; its weights add up to 1, so it responds about a third as strongly, which the
            frozen statistics of the first BatchNorm were not made for.
        in_channels: 1; other values are those of the parent and leave checkpoints alone.
        **kwargs: As in :class:`mmdet.models.ResNet`.

    Raises:
        MammoError: If ``stem_adaptation`` is unknown.
    """

    def __init__(self, *args: Any, stem_adaptation: str = 'sum', in_channels: int = 1, **kwargs: Any) -> None:
        if stem_adaptation not in STEM_WEIGHTS:
            raise MammoError(
                'GrayResNet',
                field='stem_adaptation',
                found=repr(stem_adaptation),
                expected=f'one of {list(STEM_WEIGHTS)}',
                remedy='choose one',
            )
        super().__init__(*args, in_channels=in_channels, **kwargs)
        self.stem_adaptation = stem_adaptation
        if in_channels == 1:
            self.register_load_state_dict_pre_hook(_adapt_stem)


def _adapt_stem(module: GrayResNet, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Replace the (out, 3, h, w) filter of an RGB checkpoint by a (out, 1, h, w) one."""
    key = f'{prefix}{"stem.0" if module.deep_stem else "conv1"}.weight'
    weight = state_dict.get(key)
    if weight is not None and weight.shape[1] == 3:
        channels = torch.tensor(STEM_WEIGHTS[module.stem_adaptation]).to(weight)
        state_dict[key] = torch.einsum('orhw,r->ohw', weight, channels)[:, None]
