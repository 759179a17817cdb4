"""Overlapping windows of a patch classifier: where they lie, and the mean of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

PATCH_SIZE = 256
STRIDE = 70


def even_strides(length: int, window: int, stride: int, generator: np.random.Generator) -> list[int]:
    """Distances between neighbouring windows that end exactly at the end of the image.

    As few windows as the stride allows. What their strides add up to beyond the end is taken off the strides as
    evenly as whole pixels go; where it cannot be even, the generator says which strides are one shorter.

    Args:
        length: Pixels of the image along this axis.
        window: Pixels of a window.
        stride: The longest distance.
        generator: Decides which strides are shorter.

    Returns:
        Strides that add up to ``length - window``; none if one window fills the image.

    Raises:
        MammoError: If a window is longer than the image, or the stride leaves gaps.
    """
    if not 1 <= window <= length or not 1 <= stride <= window:
        raise MammoError(
            'even_strides',
            field='length, window, stride',
            found=(length, window, stride),
            expected='1 <= window <= length and 1 <= stride <= window',
            remedy='pad the image to the size of a window; take a stride that leaves no gaps',
        )
    span = length - window
    number = -(-span // stride)
    if not number:
        return []
    strides = np.full(number, span // number)
    strides[generator.choice(number, span % number, replace=False)] += 1
    return [int(value) for value in strides]


def window_starts(length: int, window: int, stride: int, generator: np.random.Generator) -> list[int]:
    """First pixels of the windows; see :func:`even_strides`."""
    return list(accumulate(even_strides(length, window, stride, generator), initial=0))


def mean_of_windows(
    values: npt.NDArray[np.floating], rows: Sequence[int], columns: Sequence[int], window: int, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """At each pixel the mean of the values of the windows that cover it.

    Args:
        values: (rows, columns, c), of the window that starts there.
        rows: First rows of the windows.
        columns: First columns.
        window: Side of every window.
        shape: (h, w) of the result.

    Returns:
        (c, h, w); nan where there is no window.
    """
    down, across = _covers(rows, window, shape[0]), _covers(columns, window, shape[1])
    counts = down.sum(axis=1)[:, None] * across.sum(axis=1)
    sums = np.einsum('yi,ijc,xj->cyx', down, np.asarray(values, dtype=np.float64), across, optimize=True)
    with np.errstate(invalid='ignore'):
        return np.asarray(sums / counts, dtype=np.float32)


def _covers(starts: Sequence[int], window: int, length: int) -> npt.NDArray[np.float64]:
    """(length, windows): 1 where a window covers a pixel."""
    offset = np.arange(length)[:, None] - np.asarray(starts)
    return np.asarray((offset >= 0) & (offset < window), dtype=np.float64)
