"""What was found in an image, by a reader or by a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Polygon = npt.NDArray[np.float64]
"""(n, 2) closed outline, without a repeated last point."""


@dataclass(frozen=True, eq=False)
class Finding:
    """One annotated lesion in one view, in the pixels of the image that carries it.

    Args:
        bbox: (x1, y1, x2, y2).
        category: What it looks like: ``'mass'``, ``'calcification'``, ``'distortion'``, ``'asymmetry'``, …
        lesion_id: The same for one lesion in every view of its exam; ``None`` if the source does not link views.
        pathology: ``'malignant'``, ``'benign'`` or ``None`` if not known.
        birads: As the source writes the assessment, e.g. ``'4'``; ``None`` if absent.
        polygons: Outlines; empty when the source has boxes only.
        attributes: Anything else the source says (shape, margin, subtlety, …).
    """

    bbox: tuple[float, float, float, float]
    category: str
    lesion_id: str | None = None
    pathology: str | None = None
    birads: str | None = None
    polygons: tuple[Polygon, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MaskedFinding:
    """A finding whose outline has to be read from image files: a mask of the whole view, a cut-out of it, or both.

    Args:
        files: Where mask and cut-out should be, in the order mask, cut-out as the source's table says; it may be wrong
            about which is which, and either may be missing. Only the contents tell.
        category: As in :class:`Finding`, and so is the rest.
    """

    files: tuple[Path, ...]
    category: str
    lesion_id: str | None = None
    pathology: str | None = None
    birads: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
