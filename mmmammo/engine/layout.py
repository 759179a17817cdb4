"""Channels innermost, which convolutions are faster on."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.ops import RoIAlign
from torch import Tensor, nn

from mmmammo.models.data_preprocessors import ExamDataPreprocessor
from mmmammo.models.layers.fused_roi_align import FusedRoIAlign


def use_channels_last(model: nn.Module) -> nn.Module:
    """Lay out weights and images with the channels innermost; results are those of the model but for rounding.

    Args:
        model: Changed in place.

    Returns:
        The model.
    """
    model.to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, ExamDataPreprocessor):
            module.channels_last = True
        elif isinstance(module, RoIAlign):
            module.register_forward_pre_hook(_channels_first)
    return model


def _channels_first(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Kernels of mmcv read a feature level's memory as if channels were outermost, whatever its strides say."""
    if isinstance(module, FusedRoIAlign):
        return inputs  # reads them
    features: Tensor = inputs[0]
    return features.contiguous(), *inputs[1:]
