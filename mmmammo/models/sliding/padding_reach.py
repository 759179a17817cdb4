"""How far the padding at the border of a window reaches into its features, and what else ties a cell to its window.

A backbone that is run over a whole image gives each window the features it would have alone only where no path leads
from the border of the window to them: there a window sees the zeros of its padding, and the whole image its
surroundings. The network is run with nan in place of every padding; what stays a number is clean. Nothing is assumed
about its layers: operators are watched as they run, in whatever modules or functions they are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mmmammo.models.sliding.padding_probe import ATTENTION, PaddingProbe, run_probed
from mmmammo.structures import MammoError

LOOK_LENGTH = 2048
"""Pixels of the strip on which the reach is measured; a longer reach is told as none."""
LOOK_SIDE = 256
"""Pixels of the square on which the size of a cell and ties are seen."""
STRIP_HEIGHT = 32


@dataclass(frozen=True)
class PaddingReach:
    """What ties the features of a window to the window.

    Args:
        stride: Pixels per cell of the last feature.
        ties: What besides padding ties every cell to the whole input: ``'squeeze-excite'``, ``'attention'``, …; empty
            for a network of convolutions and poolings.
        clean: Stride -> cells per side of a window that no padding reaches, at each resolution of the network. With
            squeeze-excite it is that of the network without its gates; with attention nothing is measured.
        before: Cells at the beginning of a long row that padding reaches; ``None`` if it reaches all of them.
        after: Likewise at its end.
    """

    stride: int
    ties: tuple[str, ...] = ()
    clean: Mapping[int, int] = field(default_factory=dict)
    before: int | None = None
    after: int | None = None

    @property
    def context(self) -> int | None:
        """Pixels that a window needs on each side for clean features all over; ``None`` if more than was looked at."""
        if self.before is None or self.after is None:
            return None
        return self.stride * max(self.before, self.after)


def padding_reach(backbone: nn.Module, window: int = 256, channels: int = 3, length: int = LOOK_LENGTH) -> PaddingReach:
    """Measure the reach of padding on the graph of a backbone.

    Kernels and strides act on rows and columns apart, so that a strip of one cell's height tells what a square would.

    Args:
        backbone: Returns its features, the last one last. It is put in evaluation mode while it runs.
        window: Pixels of a window's side, for ``clean``; empty if they are no whole cells.
        channels: Of the input.
        length: Pixels of the strip on which ``before`` and ``after`` are measured.

    Raises:
        MammoError: If the network's last feature is no map of cells.
    """
    square, out = run_probed(backbone, (channels, LOOK_SIDE, LOOK_SIDE), pad_with_nan=False)
    stride = _stride(out, backbone)
    if ATTENTION in square.ties:
        return PaddingReach(stride, tuple(sorted(square.ties)))
    of_window, _ = run_probed(backbone, (channels, STRIP_HEIGHT, window))
    of_strip, _ = run_probed(backbone, (channels, STRIP_HEIGHT, length))
    before, after = _ends(of_strip, length // stride)
    return PaddingReach(stride, tuple(sorted(square.ties)), _clean(of_window, window, stride), before, after)


def _clean(probe: PaddingProbe, window: int, stride: int) -> dict[int, int]:
    """Stride -> clean cells; of every width that divides the window."""
    if window % stride:
        return {}
    widths = sorted((w for w in probe.reached if window % w == 0 and window // w <= stride), reverse=True)
    return {window // width: int((~probe.reached[width]).sum()) for width in widths}


def _ends(probe: PaddingProbe, width: int) -> tuple[int | None, int | None]:
    """Reached cells before the first clean one and after the last."""
    clean = torch.nonzero(~probe.reached[width]).flatten().tolist()
    return (clean[0], width - 1 - clean[-1]) if clean else (None, None)


def _stride(out: Tensor | Sequence[Tensor], backbone: nn.Module) -> int:
    last = out if isinstance(out, Tensor) else out[-1]
    shape = tuple(last.shape) if isinstance(last, Tensor) else type(last).__name__
    if not isinstance(last, Tensor) or last.ndim != 4 or LOOK_SIDE % last.shape[-1]:
        raise MammoError(
            type(backbone).__name__,
            field='last feature',
            found=f'{shape} of an input of {LOOK_SIDE} x {LOOK_SIDE} pixels',
            expected='(n, channels, rows, columns) with whole pixels per cell',
            remedy='give a backbone that returns maps, without its classifier',
        )
    return LOOK_SIDE // last.shape[-1]
