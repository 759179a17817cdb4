"""Watches the operators of a network as they run, and pads with nan instead of zeros."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

SQUEEZE = 'squeeze-excite'
ATTENTION = 'attention'
GROUP_STATISTICS = 'statistics over places'

_aten = torch.ops.aten
_TIES = {
    _aten.mean.dim: SQUEEZE,
    _aten._adaptive_avg_pool2d.default: SQUEEZE,
    _aten._softmax.default: ATTENTION,
    _aten.bmm.default: ATTENTION,
    _aten.roll.default: ATTENTION,
    _aten._scaled_dot_product_flash_attention_for_cpu.default: ATTENTION,
    _aten._scaled_dot_product_efficient_attention.default: ATTENTION,
    _aten._scaled_dot_product_flash_attention.default: ATTENTION,
    _aten.native_group_norm.default: GROUP_STATISTICS,
}


class PaddingProbe(TorchDispatchMode):
    """While it is active, rows are padded with nan wherever an operator pads, and it takes down where that shows.

    Args:
        pad_with_nan: ``False`` to watch only.

    Attributes:
        reached: Width of a feature -> (width,) whether padding reaches the place, of the last feature of that width.
        ties: Which operators were seen that join distant places. The input of a squeeze is cleaned of nan, so that
            the rest of the network shows what it would be without.
    """

    def __init__(self, pad_with_nan: bool = True) -> None:
        super().__init__()
        self.pad_with_nan = pad_with_nan
        self.reached: dict[int, Tensor] = {}
        self.ties: set[str] = set()

    def __torch_dispatch__(
        self, operator: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator."""
        if operator in _TIES and _joins_places(operator, args):
            self.ties.add(_TIES[operator])
            args = (args[0].nan_to_num(), *args[1:])
        if not self.pad_with_nan or operator not in _WITH_NAN:
            return operator(*args, **(kwargs or {}))
        out = operator(*_WITH_NAN[operator](*args), **(kwargs or {}))
        feature = out[0] if isinstance(out, tuple) else out
        if feature.ndim == 4 and feature.shape[-1] > 1:
            self.reached[feature.shape[-1]] = feature.isnan().any(dim=2).any(dim=1).any(dim=0)
        return out


def run_probed(network: nn.Module, shape: tuple[int, int, int], pad_with_nan: bool = True) -> tuple[PaddingProbe, Any]:
    """Run a network on zeros of a shape (channels, h, w) and return the probe and the network's result."""
    training, example = network.training, next(network.parameters())
    probe = PaddingProbe(pad_with_nan)
    inputs = torch.zeros(1, *shape, dtype=example.dtype, device=example.device)
    network.eval()
    try:
        with torch.no_grad(), _plain_kernels() if pad_with_nan else nullcontext(), probe:
            out = network(inputs)
    finally:
        network.train(training)
    return probe, out


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Kernels that compute each place from its own inputs; quicker ones may spread nan to its neighbours."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # of hardware that is not there
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def _joins_places(operator: Any, args: tuple[Any, ...]) -> bool:
    """A mean does only if it is over rows or columns of a feature."""
    return operator is not _aten.mean.dim or (args[0].ndim == 4 and any(dim % 4 in (2, 3) for dim in args[1]))


def _convolution(inputs: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, *rest: Any) -> tuple[Any, ...]:
    return _columns_padded(inputs, padding[-1]), weight, bias, stride, [padding[0], 0], *rest


def _pooling(inputs: Tensor, kernel: Any, stride: Any = (), padding: Any = (0, 0), *rest: Any) -> tuple[Any, ...]:
    return _columns_padded(inputs, padding[-1]), kernel, stride, [padding[0], 0], *rest


def _constant(inputs: Tensor, pad: Sequence[int], value: float = 0) -> tuple[Any, ...]:
    return functional.pad(inputs, (pad[0], pad[1]), value=torch.nan), [0, 0, *pad[2:]], value


def _columns_padded(inputs: Tensor, columns: int) -> Tensor:
    return functional.pad(inputs, (columns, columns), value=torch.nan) if columns else inputs


_WITH_NAN = {
    _aten.convolution.default: _convolution,
    _aten.max_pool2d_with_indices.default: _pooling,
    _aten.avg_pool2d.default: _pooling,
    _aten.constant_pad_nd.default: _constant,
}
