"""The preprocessing of paper 1: one view as three channels, whole or part by part.

The paper goes from [0, 1] over the two equalisations to the crop. A prepared set is cropped already, so that the tiles
of the equalisation divide the crop and not the detector; prepare with ``--no-crop`` and set ``crop='otsu'`` for the
paper's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.preprocessing.clahe import TileMappings
from mmmammo.preprocessing.small_copy import SmallCopy
from mmmammo.structures import MammoError

SCALES = ('breast', 'file')
CROPS = (None, 'otsu')

FloatImage = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Fusion:
    """How a view becomes three channels: itself, and equalised in coarse and in fine tiles.

    Args:
        clip_limits: Of the two equalisations, see :func:`mmmammo.preprocessing.clahe.clahe`.
        tile_grids: Tiles per side of the two.
        scale: What is 0 and 1: ``'breast'``, the least and greatest value in the breast (values outside of it are
            clipped), or ``'file'``, black and white of the prepared file.
        crop: ``'otsu'``: after the equalisations, cut to the breast by :func:`otsu_box`. ``None``: not, for sets that
            are cropped.

    Raises:
        MammoError: If there are not two of each, or a word is unknown.
    """

    clip_limits: tuple[float, float] = (2.0, 2.0)
    tile_grids: tuple[int, int] = (8, 32)
    scale: str = 'breast'
    crop: str | None = None

    def __post_init__(self) -> None:
        for name in ('clip_limits', 'tile_grids'):
            values: Sequence[float] = getattr(self, name)
            object.__setattr__(self, name, tuple(values))
            if len(values) != 2:
                raise _refused(name, values, 'two numbers')
        if self.scale not in SCALES:
            raise _refused('scale', repr(self.scale), f'one of {SCALES}')
        if self.crop not in CROPS:
            raise _refused('crop', repr(self.crop), f'one of {CROPS}')

    def of(self, image: npt.NDArray[np.floating]) -> ViewFusion:
        """Look at a whole view.

        Args:
            image: (h, w) in [0, 1], breast bright on dark.

        Raises:
            MammoError: If it is not, or smaller than a tile grid.
        """
        image = np.ascontiguousarray(image, dtype=np.float32)
        copy = SmallCopy.of(image)
        mask = copy.breast if copy.breast.any() else np.ones(copy.breast.shape, dtype=bool)
        low, high = _range(image, mask, copy.factor) if self.scale == 'breast' else (0.0, 1.0)
        frame = otsu_box(image) if self.crop == 'otsu' else (0, 0, image.shape[1], image.shape[0])
        scaled = _scaled(image, low, high)
        coarse, fine = (
            TileMappings.of(scaled, limit, grid) for limit, grid in zip(self.clip_limits, self.tile_grids, strict=True)
        )
        return ViewFusion((image.shape[0], image.shape[1]), low, high, frame, coarse, fine, mask, copy.factor)


@dataclass(frozen=True, eq=False)
class ViewFusion:
    """What :class:`Fusion` found out about one view; small, and enough to fuse any part of it.

    Args:
        shape: (h, w) of the view.
        low: Value that becomes 0.
        high: Value that becomes 1.
        frame: (x1, y1, x2, y2) that is kept of the view; all of it without a crop.
        coarse: The first equalisation.
        fine: The second.
        breast: (h', w') mask of the breast; all True where none is found.
        factor: Pixels of the view per pixel of the mask.
    """

    shape: tuple[int, int]
    low: float
    high: float
    frame: Box
    coarse: TileMappings
    fine: TileMappings
    breast: npt.NDArray[np.bool_]
    factor: int

    def apply(self, part: npt.NDArray[np.floating], top: int = 0, left: int = 0) -> FloatImage:
        """Fuse a part of the view: bit by bit what the whole view has there.

        Args:
            part: (h, w) in [0, 1].
            top: Row of the view at which it begins.
            left: Likewise, column.

        Returns:
            (h, w, 3) in [0, 1].
        """
        scaled = _scaled(np.ascontiguousarray(part, dtype=np.float32), self.low, self.high)
        return np.dstack([scaled, self.coarse.apply(scaled, top, left), self.fine.apply(scaled, top, left)])

    def breast_share(self, box: Sequence[float]) -> float:
        """Share of a box (x1, y1, x2, y2) of the view that is breast, to the precision of the small mask."""
        x1, y1, x2, y2 = (value / self.factor for value in box)
        columns = slice(max(int(x1), 0), max(int(np.ceil(x2)), int(x1) + 1))
        part = self.breast[max(int(y1), 0) : max(int(np.ceil(y2)), int(y1) + 1), columns]
        return float(part.mean()) if part.size else 0.0

    def breast_point(self, rng: np.random.Generator) -> tuple[float, float]:
        """A random point (x, y) of the breast within the frame, in pixels of the view."""
        x1, y1, x2, y2 = (value // self.factor for value in self.frame)
        inside = np.zeros_like(self.breast)
        inside[y1 : y2 + 1, x1 : x2 + 1] = True
        found = np.flatnonzero(self.breast & inside)
        chosen = int(found[rng.integers(len(found))]) if len(found) else (y1 * self.breast.shape[1] + x1)
        row, column = divmod(chosen, self.breast.shape[1])
        within = rng.uniform(size=2)
        return (column + float(within[0])) * self.factor, (row + float(within[1])) * self.factor


def otsu_box(image: npt.NDArray[np.floating]) -> Box:
    """The crop of paper 1: box of the largest region above Otsu's threshold of an 8-bit copy.

    Args:
        image: (h, w) in [0, 1].

    Returns:
        (x1, y1, x2, y2); all of the image where nothing is above the threshold, as in a constant image.
    """
    levels = np.rint(np.asarray(image, dtype=np.float32) * 255).astype(np.uint8)
    _, bright = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright)
    if count < 2:
        return 0, 0, image.shape[1], image.shape[0]
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    x, y = int(largest[cv2.CC_STAT_LEFT]), int(largest[cv2.CC_STAT_TOP])
    return x, y, x + int(largest[cv2.CC_STAT_WIDTH]), y + int(largest[cv2.CC_STAT_HEIGHT])


def _range(image: FloatImage, mask: npt.NDArray[np.bool_], factor: int) -> tuple[float, float]:
    """Least and greatest value in the breast; (0, 1) where they are equal."""
    rows, columns = (size * factor for size in mask.shape)
    covered = image[:rows, :columns]
    inside = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)[: covered.shape[0], : covered.shape[1]]
    values = covered[inside]
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (0.0, 1.0)


def _scaled(image: FloatImage, low: float, high: float) -> FloatImage:
    if (low, high) == (0.0, 1.0):
        return image
    scaled: FloatImage = np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1)
    return scaled


def _refused(field: str, found: object, expected: str) -> MammoError:
    return MammoError('Fusion', field=field, found=found, expected=expected, remedy='correct the config')
