"""The same network, faster: what is done to a model that will only be asked from now on."""

from __future__ import annotations

from mmcv.cnn import fuse_conv_bn
from torch import nn

from mmmammo.engine.fast_layers import use_fast_layers
from mmmammo.engine.layout import use_channels_last


def speed_up(model: nn.Module) -> nn.Module:
    """Fold batch norms into convolutions, go channels-last, and use the quicker layers of transformers there are.

    Outputs are those of the model as it was but for rounding; ``benchmarks/exam_inference.py`` and
    ``benchmarks/dino_cpu.py`` tell the gain. The model is changed in place and cannot be trained any more.

    Args:
        model: A detector or classifier with weights loaded.

    Returns:
        The model, in evaluation mode.
    """
    return use_fast_layers(use_channels_last(fuse_conv_bn(model.eval())))
