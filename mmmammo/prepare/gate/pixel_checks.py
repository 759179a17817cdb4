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
_BRIGHT_AIR, _DARK_BREAST = 0.7, 0.5  # of the range of an image
_LEAST_BREAST = 0.03  # of the image


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


def looks_inverted(pixels: npt.NDArray[np.floating]) -> bool:
    """Whether the air seems to be bright and the breast dark, as of MONOCHROME1 saved as it is.

    Air lies along all edges but that of the chest wall, whatever else is in the image.

    Args:
        pixels: (h, w) in [0, 1].
    """
    rows, columns = pixels.shape
    sample = pixels[:: max(1, rows // _SAMPLE_SIDE), :: max(1, columns // _SAMPLE_SIDE)]
    edges = [float(np.median(edge)) for edge in (sample[0], sample[-1], sample[:, 0], sample[:, -1])]
    low, high = np.percentile(sample, (1, 99)).tolist()
    bright, dark = (low + share * (high - low) for share in (_BRIGHT_AIR, _DARK_BREAST))
    return high > low and sorted(edges)[1] > bright and float((sample < dark).mean()) > _LEAST_BREAST


def no_breast() -> Fault:
    """The fault of an image in which nothing stands out of the background."""
    return Fault(
        Problem.NO_BREAST,
        'pixel values',
        'no region that could be a breast',
        'a breast, brighter than the background',
        'look at the file; export it again, or leave it out',
    )
