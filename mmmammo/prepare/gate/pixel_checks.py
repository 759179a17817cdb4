"""Problems that the pixels show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mmmammo.prepare.gate.decisions import Fault
from mmmammo.structures import Problem

_FEWEST_GREYS = 16
_SATURATED_FRACTION = 0.3
_SAMPLE_SIDE = 512


def check_pixels(pixels: npt.NDArray[np.floating]) -> Iterator[Fault]:
    """Find masks and overlays, and images that are mostly at full white.

    Args:
        pixels: (h, w) in [0, 1].
    """
    rows, columns = pixels.shape
    sample = pixels[:: max(1, rows // _SAMPLE_SIDE), :: max(1, columns // _SAMPLE_SIDE)]
    greys = len(np.unique(sample))
    if greys < _FEWEST_GREYS:
        yield Fault(
            Problem.NO_BREAST,
            'pixel values',
            f'{greys} different grey values',
            f'a mammogram, with at least {_FEWEST_GREYS}',
            'leave masks and overlays out of the exam folder',
        )
    white = float((sample >= 1).mean())
    if white > _SATURATED_FRACTION:
        yield Fault(
            Problem.SATURATED,
            'pixel values',
            f'{white:.0%} of the image at full white',
            f'at most {_SATURATED_FRACTION:.0%}',
            'export the image again with its own window, or leave it out',
        )


def no_breast() -> Fault:
    """The fault of an image in which nothing stands out of the background."""
    return Fault(
        Problem.NO_BREAST,
        'pixel values',
        'no region that could be a breast',
        'a breast, brighter than the background',
        'look at the file; export it again, or leave it out',
    )
