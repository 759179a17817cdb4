"""Stock layers with the same weights and results but for rounding, quicker on CPU where nothing is to be learned.

Each is put in place of its parent by :func:`use_fast_layers`, and is its parent again on other devices, under autocast
and where gradients are wanted.
"""

from __future__ import annotations

from typing import Any

import mmcv.cnn
import torch
from mmcv.cnn.bricks.transformer import FFN, MultiheadAttention
from mmengine.model import Sequential
from torch import Tensor, nn

from mmmammo.models.layers.fused_deformable_attention import fuse_deformable_attention
from mmmammo.models.layers.fused_roi_align import fuse_roi_align

CHUNK = 1024
"""Tokens that a feed-forward network takes at once: 1024 x 2048 channels of float32 are 8 MB, and stay in the cache."""


class OneDNNLinear(nn.Linear):
    """A linear layer by oneDNN, that knows the vectors of every processor; MKL leaves those of AMD half unused."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Linear map of the last axis."""
        if not _is_plain(inputs) or inputs.numel() == 0:
            return super().forward(inputs)
        return torch.ops.mkldnn._linear_pointwise(inputs, self.weight, self.bias, 'none', [], '')


class ChunkedSequential(Sequential):
    """Layers that treat tokens apart, given some at a time: the wide middle of a feed-forward network stays small."""

    def forward(self, inputs: Tensor) -> Tensor:
        """The layers' result for (..., dim)."""
        if not _is_plain(inputs) or inputs.numel() <= CHUNK * inputs.shape[-1]:
            return super().forward(inputs)
        tokens = inputs.flatten(0, -2)
        chunks = [super(ChunkedSequential, self).forward(chunk) for chunk in tokens.split(CHUNK)]
        return torch.cat(chunks).view(*inputs.shape[:-1], -1)


class WeightlessAttention(nn.MultiheadAttention):
    """Attention that hands out no weights, so need not hold them: queries x queries per head."""

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
        """The result and ``None``; arguments are the parent's, ``need_weights`` by name."""
        return super().forward(*args, **{**kwargs, 'need_weights': False})


def fuse_operators(model: nn.Module) -> nn.Module:
    """Put what is compiled with the package in the place of stock operators, in place; for training, too.

    These are :class:`mmmammo.models.layers.FusedDeformableAttention` and :class:`mmmammo.models.layers.FusedRoIAlign`.
    """
    return fuse_roi_align(fuse_deformable_attention(model))


def use_fast_layers(model: nn.Module) -> nn.Module:
    """Put quicker layers in the place of the stock ones, in place; weights, their names and gradients stay.

    Those of this module, and those of :func:`fuse_operators`. Attention is replaced inside of mmcv's module only, which
    reads no weights; a subclass is left alone everywhere.
    """
    fuse_operators(model)
    has_linear = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, '_linear_pointwise')
    for module in model.modules():
        if has_linear and type(module) in (nn.Linear, mmcv.cnn.Linear):
            module.__class__ = OneDNNLinear
        elif type(module) is FFN and type(module.layers) is Sequential:
            module.layers.__class__ = ChunkedSequential
        elif type(module) is MultiheadAttention and type(module.attn) is nn.MultiheadAttention:
            module.attn.__class__ = WeightlessAttention
    return model


def _is_plain(inputs: Tensor) -> bool:
    """Whether these are numbers in float32 on CPU, to be computed as they are and not learned from."""
    on_cpu = inputs.device.type == 'cpu' and inputs.dtype == torch.float32
    return on_cpu and not torch.is_grad_enabled() and not torch.is_autocast_enabled('cpu')
