"""Which part of a view a patch shows: the proposals of paper 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PatchSampling:
    """The distribution of patches around a finding of width w0 and height h0.

    Of ``a`` from ``area`` and ``rho`` from ``aspect``, both uniform: the patch has ``a`` times the finding's area and
    ``rho`` times its aspect, so that with A = a w0 h0 and r = rho w0 / h0 it is sqrt(A r) wide and sqrt(A / r) high.
    Its centre lies up to ``jitter`` from the finding's in x and y, uniformly.

    Args:
        area: Range of a; its mean is 2.525, and 81 % of the patches are larger than their finding.
        aspect: Range of rho.
        jitter: Pixels of the prepared image; 50 in the paper, of images at the detector's resolution.

    Raises:
        MammoError: If a range is empty or not positive, or the jitter negative.
    """

    area: tuple[float, float] = (0.05, 5.0)
    aspect: tuple[float, float] = (0.33, 1.66)
    jitter: float = 50.0

    def __post_init__(self) -> None:
        for name in ('area', 'aspect'):
            low, high = getattr(self, name)
            object.__setattr__(self, name, (low, high))
            if not 0 < low <= high < np.inf:
                raise _refused(name, (low, high), 'two numbers, 0 < least <= most')
        if not 0 <= self.jitter < np.inf:
            raise _refused('jitter', self.jitter, 'at least 0')

    def draw(self, centre: tuple[float, float], size: tuple[float, float], rng: np.random.Generator) -> Box:
        """A patch, which may reach over the border of the view.

        Args:
            centre: (x, y) of the finding.
            size: Its (width, height), positive.
            rng: Where a, rho and the two displacements come from, in this order.

        Returns:
            (x1, y1, x2, y2).
        """
        area = rng.uniform(*self.area) * size[0] * size[1]
        aspect = rng.uniform(*self.aspect) * size[0] / size[1]
        width, height = np.sqrt(area * aspect), np.sqrt(area / aspect)
        x, y = (value + rng.uniform(-self.jitter, self.jitter) for value in centre)
        return float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2)


def fit_inside(box: Box, frame: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Round a patch to pixels, and shift it into a frame; what is larger than the frame is cut to it.

    Args:
        box: (x1, y1, x2, y2).
        frame: Likewise, not empty.

    Returns:
        (x1, y1, x2, y2) within the frame, at least one pixel wide and high.
    """
    x1, x2 = _fit_axis(box[0], box[2], frame[0], frame[2])
    y1, y2 = _fit_axis(box[1], box[3], frame[1], frame[3])
    return x1, y1, x2, y2


def patch_labels(
    patch: tuple[float, float, float, float],
    boxes: npt.NDArray[np.float64],
    labels: npt.NDArray[np.float32],
    source: int | None,
) -> npt.NDArray[np.float32]:
    """What a patch shows: the categories of its own box, and of every other box whose centre it holds.

    Args:
        patch: (x1, y1, x2, y2); its border belongs to it.
        boxes: (m, 4) of the view.
        labels: (m, c) multi-hot.
        source: Box that the patch was drawn for, ``None`` for a normal one.

    Returns:
        (c,) multi-hot; all 0 is a patch without a finding.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    low, high = np.array(patch[:2]), np.array(patch[2:])
    inside = np.all((centres >= low) & (centres <= high), axis=1)
    if source is not None:
        inside[source] = True
    held: npt.NDArray[np.float32] = labels[inside].max(axis=0, initial=0)
    return held


def _fit_axis(start: float, end: float, low: int, high: int) -> tuple[int, int]:
    length = min(max(round(end - start), 1), high - low)
    begin = min(max(round((start + end - length) / 2), low), high - length)
    return begin, begin + length


def _refused(field: str, found: object, expected: str) -> MammoError:
    return MammoError('PatchSampling', field=field, found=found, expected=expected, remedy='correct the config')
