"""Which findings and decoys an exam has, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.lesions import Lesion, sample_lesion
from mmmammo.phantom.projection import Projection
from mmmammo.phantom.rng import choose
from mmmammo.structures import STANDARD_VIEWS, Laterality, View

SIDES = (Laterality.LEFT, Laterality.RIGHT)
Projections = Mapping[tuple[Laterality, View], Projection]
_SKIN_MARGIN_MM = 4.0
_GAP_MM = 6.0


@dataclass(frozen=True, eq=False)
class PlacedLesion:
    """A lesion or decoy and where it shows.

    Args:
        lesion_id: Unique in its exam.
        laterality: Of the breast.
        views: That show it: both for anything real, one for an overlap.
        lesion: The thing itself.
        decoy: ``None`` for a true finding, else ``'overlap'`` or ``'symmetric'``.
    """

    lesion_id: str
    laterality: Laterality
    views: tuple[View, ...]
    lesion: Lesion
    decoy: str | None = None


def place_lesions(
    config: PhantomConfig, projections: Projections, rng: np.random.Generator
) -> tuple[PlacedLesion, ...]:
    """Draw the true findings first, then the decoys around them; nothing overlaps in any view.

    Args:
        config: Prevalence, mixture and rates.
        projections: Of all four views, present or not.
        rng: Of this exam's lesions.
    """
    placed: list[PlacedLesion] = []
    for _ in range(_count_findings(config, rng)):
        side = SIDES[rng.integers(2)]
        pathology = 'malignant' if rng.uniform() < config.malignant_fraction else 'benign'
        category = choose(rng, config.finding_mix)
        _place(placed, config, projections, category, pathology, (side,), STANDARD_VIEWS, None, rng)
    for _ in range(rng.poisson(config.symmetric_decoys)):
        category = 'mass' if rng.uniform() < 0.6 else 'asymmetry'
        _place(placed, config, projections, category, 'benign', SIDES, STANDARD_VIEWS, 'symmetric', rng)
    for side in SIDES:
        for view in STANDARD_VIEWS:
            for _ in range(rng.poisson(config.overlap_decoys)):
                pathology = 'malignant' if rng.uniform() < config.malignant_fraction else 'benign'
                _place(placed, config, projections, 'mass', pathology, (side,), (view,), 'overlap', rng)
    return tuple(placed)


def _count_findings(config: PhantomConfig, rng: np.random.Generator) -> int:
    has_any = rng.uniform() < config.prevalence
    count = int(choose(rng, {str(i): weight for i, weight in enumerate(config.lesion_counts, start=1)}))
    return count if has_any else 0


def _place(
    placed: list[PlacedLesion],
    config: PhantomConfig,
    projections: Projections,
    category: str,
    pathology: str,
    sides: Sequence[Laterality],
    views: tuple[View, ...],
    decoy: str | None,
    rng: np.random.Generator,
) -> None:
    """Add one thing, on one side or mirrored on both, unless there is no room for it."""
    fits = _fit_test(placed, projections, sides)
    contrast = float(rng.uniform(*config.contrast))
    lesion = sample_lesion(category, pathology, contrast, projections[sides[0], View.CC].breast, fits, rng)
    if lesion is None:
        return
    prefix = 'decoy' if decoy else 'lesion'
    number = len({x.lesion_id for x in placed if (x.decoy is None) == (decoy is None)}) + 1
    for side in sides:
        here = lesion if side is sides[0] else replace(lesion, centre=lesion.centre + rng.normal(0, 1.0, 3))
        placed.append(PlacedLesion(f'{prefix}-{number}', side, views, here, decoy))


def _fit_test(
    placed: Sequence[PlacedLesion], projections: Projections, sides: Sequence[Laterality]
) -> Callable[[npt.NDArray[np.float64], float], bool]:
    """A test of centre and radius: inside every view of the sides, clear of skin, muscle and everything placed."""
    used = [projections[side, view] for side in sides for view in STANDARD_VIEWS]
    contours = [projection.contour().astype(np.float32) for projection in used]

    def fits(centre: npt.NDArray[np.float64], radius: float) -> bool:
        if centre[0] < radius + _SKIN_MARGIN_MM:
            return False
        for projection, contour in zip(used, contours, strict=True):
            x, y = projection.project(centre)
            depth = cv2.pointPolygonTest(contour, (float(x), float(y)), True) * projection.spacing_mm
            if depth < radius + _SKIN_MARGIN_MM:
                return False
            for other in placed:
                if other.laterality is projection.breast.laterality:
                    gap = projection.to_plane(centre) - projection.to_plane(other.lesion.centre)
                    if np.hypot(*gap) < radius + other.lesion.radius + _GAP_MM:
                        return False
        return True

    return fits
