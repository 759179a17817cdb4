"""Anatomical landmarks of one view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.structures.geometry import Affine

PARTS = ('contour', 'nipple', 'pectoral_line')
MASK_STRIDE = 4
"""Input pixels per cell of a breast mask, along either axis: the stride of the finest pyramid level."""


@dataclass(frozen=True, eq=False)
class BreastLandmarks:
    """Contour, nipple and chest wall of one view, in the pixels of the image they were found in.

    Args:
        contour: (n, 2) closed outline of the breast, without a repeated last point.
        nipple: (2,).
        pectoral_line: (2, 2), the upper end first. In a CC view the vertical chest-wall edge of the breast, in an MLO
            view the front edge of the pectoral muscle.
        confidence: In [0, 1]; the least of the parts'.
        part_confidence: The same per part (``contour``, ``nipple``, ``pectoral_line``).
        found_by: How each part was found, e.g. ``'curvature'``, ``'hough'``, ``'fallback_60deg'``, ``'manual'``.
        pectoral_edge: (n, 2) the curved edge of the muscle as far as it was seen, from the top down; the line is the
            straight one nearest to it. ``None`` where no edge was followed.
    """

    contour: npt.NDArray[np.float64]
    nipple: npt.NDArray[np.float64]
    pectoral_line: npt.NDArray[np.float64]
    confidence: float = 1.0
    part_confidence: Mapping[str, float] = field(default_factory=dict)
    found_by: Mapping[str, str] = field(default_factory=dict)
    pectoral_edge: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        shapes = {'contour': (-1, 2), 'nipple': (2,), 'pectoral_line': (2, 2), 'pectoral_edge': (-1, 2)}
        for name, shape in shapes.items():
            if name == 'pectoral_edge' and self.pectoral_edge is None:
                continue
            array = np.array(getattr(self, name), dtype=np.float64).reshape(shape)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def transformed(self, affine: Affine) -> BreastLandmarks:
        """The same landmarks after the image went through ``affine``; the upper end of line and edge stays first."""
        line = affine.points(self.pectoral_line)
        edge = None if self.pectoral_edge is None else affine.points(self.pectoral_edge)
        if line[0, 1] > line[1, 1]:
            line, edge = line[::-1], None if edge is None else edge[::-1]
        contour, nipple = affine.points(self.contour), affine.points(self.nipple)
        return replace(self, contour=contour, nipple=nipple, pectoral_line=line, pectoral_edge=edge)

    def to_json(self, decimals: int = 2) -> dict[str, Any]:
        """Plain lists; coordinates rounded to ``decimals`` (hundredths of a pixel by default); no edge, no key."""
        out: dict[str, Any] = {name: np.round(getattr(self, name), decimals).tolist() for name in PARTS}
        if self.pectoral_edge is not None:
            out['pectoral_edge'] = np.round(self.pectoral_edge, decimals).tolist()
        out.update(confidence=self.confidence, part_confidence=dict(self.part_confidence), found_by=dict(self.found_by))
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BreastLandmarks:
        """The inverse of :meth:`to_json`."""
        required = {name: data[name] for name in (*PARTS, 'confidence', 'part_confidence', 'found_by')}
        return cls(**required, pectoral_edge=data.get('pectoral_edge'))
