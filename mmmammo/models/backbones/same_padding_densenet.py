"""DenseNet with the padding of TensorFlow, for weights that were trained with it."""

from __future__ import annotations

from typing import Any

from mmpretrain.models.backbones import DenseNet
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.registry import MODELS


class SamePadded(nn.Module):
    """A convolution or pooling whose output has ``ceil(side / stride)`` cells, as TensorFlow's ``SAME`` pads.

    An odd pixel of padding goes to the right and below, whereas PyTorch pads both sides alike: with stride 2 the two
    look at pixels that are shifted against each other.

    Args:
        layer: Without padding of its own.
        fill: Value of the padding; -inf for a maximum.
    """

    def __init__(self, layer: nn.Module, fill: float = 0.0) -> None:
        super().__init__()
        self.layer = layer
        self.fill = fill

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c', ceil(h / stride), ceil(w / stride))."""
        pads: list[int] = []
        kernels, strides = _pair(self.layer.kernel_size), _pair(self.layer.stride)
        for side, kernel, stride in zip(x.shape[-2:], kernels, strides, strict=True):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads = [total // 2, total - total // 2, *pads]  # the last axis comes first
        return self.layer(F.pad(x, pads, value=self.fill))


@MODELS.register_module()
class SamePaddingDenseNet(DenseNet):
    """mmpretrain's DenseNet, its first convolution and pooling padded as TensorFlow does.

    All its other layers pad alike in both. With ``arch='121'`` and a linear layer of four classes it has the 6,957,956
    parameters of NYU's patch classifier.

    Args:
        in_channels: Of the image.
        **kwargs: As mmpretrain's ``DenseNet``.
    """

    def __init__(self, in_channels: int = 3, **kwargs: Any) -> None:
        super().__init__(in_channels=in_channels, **kwargs)
        convolution = nn.Conv2d(in_channels, self.init_channels, 7, 2, bias=False)
        self.stem[0] = SamePadded(convolution)
        self.stem[3] = SamePadded(nn.MaxPool2d(3, 2), fill=float('-inf'))


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value
