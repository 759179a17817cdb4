"""How a patch classifier is slid over a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmmammo.structures import MammoError

MODES = ('exact', 'context', 'dense')
COMBINATIONS = ('max', 'mean')


@dataclass(frozen=True)
class SlidingSettings:
    """How a patch classifier is slid over a view; docs/heatmaps.md tells when which mode is right.

    Args:
        mode: ``'exact'``: every window of the breast goes through the classifier. ``'context'``: features of the whole
            view, each window its central block of them, which is what a classifier trained with ``context`` says of it
            window by window. ``'dense'``: the same for a classifier that was trained without, an approximation.
        window: Side of a window in pixels.
        stride: From window to window; a divisor of ``window``.
        context: Pixels around a window that the classifier sees besides, as in its training.
        scales: Factors that the view is resized by; 0.5 shows twice as much in each window.
        combine: What joins the heatmaps of the scales.
        batch_size: Windows that go through the network at once in mode ``exact``, at most.
        tile: In the other modes at most ``tile`` x ``tile`` pixels go through the network at once, in any shape. By
            default so many that a breast over a quarter of a view of 3328 x 2560 is one tile, with the context of any
            backbone that has an exact one: two would read 17 % more. The two largest features of a tile
            then take 3.4 GB in VGG-19 and 0.8 GB in ResNet-50 and MobileNetV2.
        overlap: Pixels around the part of a tile that is kept, in the other modes. By default the reach of the
            backbone's padding, so that no seam can be seen; half a window where that is longer than was looked at, and
            with parts such as squeeze-excite, which no overlap makes good.
        bfloat16: Run the backbone in bfloat16. Probabilities differ in the third decimal.
        focal_gamma: Of the focal loss that the classifier was trained with, to be undone before windows are averaged
            (:func:`~mmmammo.models.sliding.focal_probability.undo_focal`). 0 leaves scores as they are, as the paper.
        check: Windows of the first view on which mode ``dense`` is compared with ``exact``; the log has the result.

    Raises:
        MammoError: If a word is unknown or a number makes no sense.
    """

    mode: str = 'exact'
    window: int = 256
    stride: int = 32
    context: int = 0
    scales: Sequence[float] = (1.0,)
    combine: str = 'max'
    batch_size: int = 16
    tile: int = 2560
    overlap: int | None = None
    bfloat16: bool = False
    focal_gamma: float = 0.0
    check: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, 'scales', tuple(float(scale) for scale in self.scales))
        if self.mode not in MODES:
            raise refused('mode', repr(self.mode), f'one of {MODES}')
        if self.combine not in COMBINATIONS:
            raise refused('combine', repr(self.combine), f'one of {COMBINATIONS}')
        if not self.scales or not all(0 < scale <= 4 for scale in self.scales):
            raise refused('scales', self.scales, 'one or more factors above 0, at most 4')
        if not 0 <= self.focal_gamma <= 10:
            raise refused('focal_gamma', self.focal_gamma, 'from 0 to 10')
        if min(self.batch_size, self.tile) < 1 or min(self.context, self.check, self.overlap or 0) < 0:
            raise refused(
                'batch_size, tile, context, overlap, check',
                (self.batch_size, self.tile, self.context, self.overlap, self.check),
                'batch_size and tile above 0, the others not below',
            )


def refused(field: str, found: object, expected: str, remedy: str = 'correct it') -> MammoError:
    """A complaint about a setting."""
    return MammoError('sliding window', field=field, found=found, expected=expected, remedy=remedy)
