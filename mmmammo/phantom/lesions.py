"""Findings and decoys as 3-D things made of balls and strands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.breast import Breast
from mmmammo.phantom.rng import choose, truncated_normal
from mmmammo.phantom.tissue import Strands

Points = npt.NDArray[np.float64]

MASS_SHAPES = {
    'malignant': {'round': 0.1, 'lobulated': 0.25, 'spiculated': 0.65},
    'benign': {'round': 0.6, 'lobulated': 0.35, 'spiculated': 0.05},
}
"""How often a mass of each pathology has each shape."""


@dataclass(frozen=True, eq=False)
class Lesion:
    """A finding or a decoy, relative to its centre.

    Args:
        category: One of :data:`mmmammo.phantom.config.CATEGORIES`.
        pathology: ``'malignant'`` or ``'benign'``.
        centre: (3,) in the breast frame, mm.
        radius: Of the region an annotator would outline, mm.
        contrast: Factor on the excess density.
        balls: (n, 4) offsets from the centre and radii, mm.
        strands: Offsets from the centre; spicules or pulled tissue.
        margin: Width over which the border is blurred, mm.
        attributes: Shape, margin and the like, as a reader would describe them.
    """

    category: str
    pathology: str
    centre: Points
    radius: float
    contrast: float
    balls: Points
    strands: Strands | None = None
    margin: float = 0.3
    attributes: Mapping[str, Any] = field(default_factory=dict)


def sample_lesion(
    category: str,
    pathology: str,
    contrast: float,
    breast: Breast,
    fits: Callable[[Points, float], bool],
    rng: np.random.Generator,
) -> Lesion | None:
    """Draw a lesion of a category and a place for it where ``fits(centre, radius)`` holds.

    Returns:
        ``None`` if no place is found, which happens in a very small breast.
    """
    make = _MAKERS[category]
    for shrink in (1.0, 0.8, 0.6):
        for _ in range(60):
            centre = _place(breast, rng)
            lesion = make(pathology, contrast, centre, shrink, rng)
            if fits(centre, lesion.radius):
                return lesion
    return None


def _place(breast: Breast, rng: np.random.Generator) -> Points:
    """A point of the ellipsoid's inner part, a little more often in the upper outer quadrant."""
    while True:
        point = rng.uniform([0.12, -0.75, -0.7], [0.9, 0.8, 0.75]) * [breast.depth, breast.lateral, breast.superior]
        if breast.contains(point, margin=6.0):
            return np.asarray(point) + np.array([0.0, 3.0, 3.0])


def _mass(pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator) -> Lesion:
    shape = choose(rng, MASS_SHAPES[pathology])
    radius = truncated_normal(rng, 6.8, 1.3, (4.5, 10)) * shrink
    margin = {'round': 0.5, 'lobulated': 0.7, 'spiculated': 1.0}[shape]
    lobes = {'round': 3, 'lobulated': 7, 'spiculated': 6}[shape]
    spread = {'round': 0.12, 'lobulated': 0.55, 'spiculated': 0.4}[shape]
    offsets = _directions(lobes, rng) * spread * radius * rng.uniform(0.6, 1, (lobes, 1))
    offsets -= offsets.mean(axis=0)
    radii = radius - np.linalg.norm(offsets, axis=1) * rng.uniform(0.9, 1.1, lobes)
    if shape == 'spiculated':
        radii *= 0.8
    strands = _spicules(radius, rng) if shape == 'spiculated' else None
    words = {'shape': shape, 'margin': 'circumscribed' if shape == 'round' else shape if strands else 'indistinct'}
    balls = np.column_stack([offsets, radii])
    return Lesion('mass', pathology, centre, radius, contrast, balls, strands, margin, words)


def _spicules(radius: float, rng: np.random.Generator) -> Strands:
    count = int(rng.integers(16, 28))
    directions = _directions(count, rng)
    reach = radius * rng.uniform(1.3, 2.2, count)
    return _radial(directions, 0.5 * radius, reach, rng, width=(0.4, 0.9), density=(2.5, 5.0))


def _cluster(pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator) -> Lesion:
    malignant = pathology == 'malignant'
    radius = truncated_normal(rng, 6.5, 1.5, (4, 10)) * shrink
    count = int(rng.integers(10, 26) if malignant else rng.integers(6, 14))
    offsets = _directions(count, rng) * radius * 0.85 * rng.uniform(0, 1, (count, 1)) ** 0.5
    if malignant:
        offsets *= rng.permutation([1.0, 0.75, 0.5])  # drawn out along a duct
    radii = rng.gamma(6, 0.03, count) if malignant else rng.gamma(12, 0.025, count)
    words = {'morphology': 'pleomorphic' if malignant else 'round', 'count': count}
    balls = np.column_stack([offsets - offsets.mean(axis=0), np.clip(radii, 0.1, 0.6)])
    return Lesion('calcification', pathology, centre, radius, contrast, balls, None, 0.0, words)


def _distortion(pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator) -> Lesion:
    radius = truncated_normal(rng, 11, 2, (8, 15)) * shrink
    count = int(rng.integers(26, 40))
    reach = radius * rng.uniform(0.7, 1.15, count)
    strands = _radial(_directions(count, rng), 0.1 * radius, reach, rng, width=(0.4, 0.9), density=(2.5, 5.0))
    balls = np.array([[0.0, 0.0, 0.0, 0.25 * radius]])
    return Lesion('distortion', pathology, centre, radius, contrast, balls, strands, 1.5, {'shape': 'stellate'})


def _asymmetry(pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator) -> Lesion:
    radius = truncated_normal(rng, 13, 2.5, (9, 18)) * shrink
    count = 5
    offsets = _directions(count, rng) * radius * 0.45 * rng.uniform(0.5, 1, (count, 1))
    radii = radius * rng.uniform(0.45, 0.6, count)
    balls = np.column_stack([offsets - offsets.mean(axis=0), radii])
    return Lesion('asymmetry', pathology, centre, radius, contrast, balls, None, 2.5, {'shape': 'focal'})


def _focal_asymmetry(
    pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator
) -> Lesion:
    """Compact, but without the border of a mass."""
    radius = truncated_normal(rng, 8, 1, (6, 10)) * shrink
    return _cloud('focal_asymmetry', pathology, contrast, centre, radius, 5, rng)


def _global_asymmetry(
    pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator
) -> Lesion:
    """As large as a quadrant, as far as the breast is."""
    radius = truncated_normal(rng, 27, 4, (22, 34)) * shrink
    return _cloud('global_asymmetry', pathology, contrast, centre, radius, 12, rng)


def _cloud(
    category: str,
    pathology: str,
    contrast: float,
    centre: Points,
    radius: float,
    count: int,
    rng: np.random.Generator,
) -> Lesion:
    offsets = _directions(count, rng) * radius * 0.5 * rng.uniform(0.4, 1, (count, 1))
    radii = radius * rng.uniform(0.4, 0.55, count)
    balls = np.column_stack([offsets - offsets.mean(axis=0), radii])
    shape = category.removesuffix('_asymmetry')
    return Lesion(category, pathology, centre, radius, contrast, balls, None, 2.5, {'shape': shape})


def _lymph_node(pathology: str, contrast: float, centre: Points, shrink: float, rng: np.random.Generator) -> Lesion:
    """A kidney: balls on an arc, which leave the hilum free; a malignant one has nearly closed over it."""
    radius = truncated_normal(rng, 7.5, 1.2, (5, 10)) * shrink
    malignant = pathology == 'malignant'
    thickness = radius * (0.5 if malignant else 0.36)
    angles = np.linspace(0, np.pi * (1.6 if malignant else 1.25), 9)
    arc = np.stack([np.cos(angles), 0.75 * np.sin(angles), np.zeros(9)], axis=1) * (radius - thickness)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    offsets = arc @ turn
    balls = np.column_stack([offsets - offsets.mean(axis=0), np.full(9, thickness)])
    words = {'shape': 'reniform', 'hilum': 'effaced' if malignant else 'fatty'}
    return Lesion('lymph_node', pathology, centre, radius, contrast, balls, None, 0.4, words)


_MAKERS = {
    'mass': _mass,
    'calcification': _cluster,
    'distortion': _distortion,
    'asymmetry': _asymmetry,
    'focal_asymmetry': _focal_asymmetry,
    'global_asymmetry': _global_asymmetry,
    'lymph_node': _lymph_node,
}


def _directions(count: int, rng: np.random.Generator) -> Points:
    """(count, 3) unit vectors, spread evenly (a spiral on the sphere, turned at random)."""
    k = np.arange(count) + 0.5
    polar, azimuth = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    sphere = np.stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=1)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned: Points = sphere @ rotation
    return turned


def _radial(
    directions: Points,
    inner: float,
    reach: Points,
    rng: np.random.Generator,
    width: tuple[float, float],
    density: tuple[float, float],
) -> Strands:
    """Slightly bent strands from ``inner`` to ``reach`` mm from the centre, each drawn in three lengths to taper."""
    count = len(directions)
    steps = np.linspace(0, 1, 8)[None, :, None]
    bend = rng.normal(0, 0.12, (count, 1, 3)) * steps**2
    lengths = [(reach - inner) * part for part in (0.5, 0.75, 1.0)]
    points = [(directions[:, None] + bend) * (inner + length[:, None, None] * steps) for length in lengths]
    widths, densities = rng.uniform(*width, count), rng.uniform(*density, count) / len(lengths)
    return Strands(np.concatenate(points), np.tile(widths, len(lengths)), np.tile(densities, len(lengths)))
