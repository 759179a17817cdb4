"""Where windows lie, and the heatmap that their scores make: paper 1's sliding windows as arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class WindowGrid:
    """Square windows at every multiple of a stride, over an image padded on the right and below.

    The padded sides are the least ones that are not below the image's, hold a window, and end with one. A *cell* is a
    square of the stride's side; windows begin and end at its borders, so that every pixel of a cell lies in the same
    windows.

    Args:
        shape: (h, w) of the image in pixels.
        window: Side of a window.
        stride: From window to window; a divisor of ``window``.

    Raises:
        MammoError: If the stride does not divide the window, or something is not positive.
    """

    shape: tuple[int, int]
    window: int = 256
    stride: int = 32

    def __post_init__(self) -> None:
        if self.stride < 1 or self.window < self.stride or self.window % self.stride:
            raise _refused('window, stride', (self.window, self.stride), 'a window that is a multiple of its stride')
        if min(self.shape) < 1:
            raise _refused('shape', self.shape, 'an image with at least one pixel')

    @property
    def padded(self) -> tuple[int, int]:
        """(H, W), at least a window and a multiple of the stride."""
        rows, columns = self.cells
        return rows * self.stride, columns * self.stride

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        rows, columns = (max(-(-side // self.stride), self.span) for side in self.shape)
        return rows, columns

    @property
    def counts(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        rows, columns = self.cells
        return rows - self.span + 1, columns - self.span + 1

    @property
    def span(self) -> int:
        """Cells along the side of a window."""
        return self.window // self.stride

    def cells_of(self, mask: Mask) -> Mask:
        """The cells that hold any pixel of a mask of the image, (rows, columns)."""
        rows, columns = self.cells
        padded = np.zeros(self.padded, dtype=bool)
        padded[: mask.shape[0], : mask.shape[1]] = mask
        held: Mask = padded.reshape(rows, self.stride, columns, self.stride).any(axis=(1, 3))
        return held

    def windows_on(self, cells: Mask) -> Mask:
        """The windows that cover any of these cells, (rows, columns)."""
        sums = _box_sums(cells.astype(np.float64)[None], self.span)[0]
        on: Mask = sums > 0.5
        return on

    def cells_under(self, windows: Mask) -> Mask:
        """The cells that any of these windows covers; the reverse of :meth:`windows_on`."""
        return self._cover_sums(windows.astype(np.float64)[None])[0] > 0.5

    def cover_counts(self) -> npt.NDArray[np.float64]:
        """How many windows cover each cell, (rows, columns): 64 inside for a span of 8, fewer along the borders."""
        return self._cover_sums(np.ones((1, *self.counts)))[0]

    def heatmap(self, scores: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The mean score of the windows that cover each cell, by sums over boxes instead of a loop over windows.

        Args:
            scores: (classes, rows, columns) of windows; nan for those that were not looked at.

        Returns:
            (classes, rows, columns) of cells; the mean is over windows with a score, nan where there is none.

        Raises:
            MammoError: If there is another number of windows.
        """
        scores = np.asarray(scores, dtype=np.float64)
        if scores.ndim != 3 or scores.shape[1:] != self.counts:
            raise _refused('scores', f'shape {scores.shape}', f'(classes, {self.counts[0]}, {self.counts[1]})')
        there = np.isfinite(scores)
        if not there.any():
            return np.full((len(scores), *self.cells), np.nan, dtype=np.float32)
        sums = self._cover_sums(np.where(there, scores, 0))
        counts = self._cover_sums(there.astype(np.float64)).round()
        mean = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        # a mean lies between its terms; differences of sums may leave that by the last digit
        return np.clip(mean, scores[there].min(), scores[there].max()).astype(np.float32)

    def _cover_sums(self, windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(n, window rows, columns) -> (n, cell rows, columns): sums over the windows that cover a cell."""
        rest = self.span - 1
        return _box_sums(np.pad(windows, ((0, 0), (rest, rest), (rest, rest))), self.span)


def _box_sums(values: npt.NDArray[np.float64], span: int) -> npt.NDArray[np.float64]:
    """(n, h, w) -> (n, h - span + 1, w - span + 1) sums of span x span boxes."""
    total = np.pad(values, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    tall = total[:, span:] - total[:, :-span]
    boxes: npt.NDArray[np.float64] = tall[:, :, span:] - tall[:, :, :-span]
    return boxes


def _refused(field: str, found: object, expected: str) -> MammoError:
    return MammoError('WindowGrid', field=field, found=found, expected=expected, remedy='correct it')
