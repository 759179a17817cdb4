"""One invertible affine for everything that moves pixels: crop, mirror, resize.

Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``, its centre lies at ``i + 0.5``, and a mirror of an image
of width ``w`` maps ``x`` to ``w - x``. Points are ``(x, y)``, boxes ``(x1, y1, x2, y2)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Affine:
    """A 3x3 map of homogeneous points; ``a @ b`` applies ``b`` first.

    Args:
        matrix: (3, 3), last row (0, 0, 1), invertible.

    Raises:
        ValueError: If the matrix has another shape, another last row or no inverse.
    """

    matrix: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (3, 3) or not np.array_equal(matrix[2], (0.0, 0.0, 1.0)):
            raise ValueError(f'an affine is 3x3 with last row (0, 0, 1); found {matrix.tolist()}')
        if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:2, :2])) < 1e-12:
            raise ValueError(f'an affine has a finite inverse; found {matrix.tolist()}')
        matrix.setflags(write=False)
        object.__setattr__(self, 'matrix', matrix)

    @classmethod
    def identity(cls) -> Affine:
        """The map that moves nothing."""
        return cls(np.eye(3))

    @classmethod
    def translation(cls, dx: float, dy: float) -> Affine:
        """Move by (dx, dy) pixels; a crop whose corner is (x0, y0) is ``translation(-x0, -y0)``."""
        return cls(np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], dtype=np.float64))

    @classmethod
    def scaling(cls, sx: float, sy: float | None = None) -> Affine:
        """Resize by sx horizontally and sy (default: the same) vertically."""
        return cls(np.diag([sx, sx if sy is None else sy, 1.0]))

    @classmethod
    def mirror(cls, width: float) -> Affine:
        """Left-right mirror of an image of this width."""
        return cls(np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], dtype=np.float64))

    def __matmul__(self, other: Affine) -> Affine:
        """The map that applies ``other`` first and then this one."""
        return Affine(self.matrix @ other.matrix)

    def __eq__(self, other: object) -> bool:
        """Exact equality of the matrices."""
        return isinstance(other, Affine) and bool(np.array_equal(self.matrix, other.matrix))

    __hash__ = None  # type: ignore[assignment]

    def inverse(self) -> Affine:
        """The map back."""
        matrix = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        matrix[2] = (0.0, 0.0, 1.0)
        return Affine(matrix)

    @property
    def is_mirrored(self) -> bool:
        """Whether the map turns a left hand into a right one."""
        return bool(np.linalg.det(self.matrix[:2, :2]) < 0)

    def points(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map (..., 2) points."""
        array = np.asarray(points, dtype=np.float64)
        mapped: npt.NDArray[np.float64] = array @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return mapped

    def boxes(self, boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map (..., 4) xyxy boxes to the upright boxes that enclose their images."""
        array = np.asarray(boxes, dtype=np.float64)
        corners = self.points(array[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(*array.shape[:-1], 4, 2))
        return np.concatenate([corners.min(axis=-2), corners.max(axis=-2)], axis=-1)

    def to_list(self) -> list[list[float]]:
        """Nested lists, for JSON."""
        rows: list[list[float]] = self.matrix.tolist()
        return rows

    @classmethod
    def from_list(cls, rows: Sequence[Sequence[float]]) -> Affine:
        """The inverse of :meth:`to_list`."""
        return cls(np.array(rows, dtype=np.float64))
