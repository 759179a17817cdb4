"""A lesion's shadow in one view, and the outline an annotator would draw around it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from skimage import measure

from mmmammo.phantom.lesions import Lesion
from mmmammo.phantom.projection import Projection
from mmmammo.phantom.tissue import Float32, draw_strands

Points = npt.NDArray[np.float64]
_CALCIUM = 24.0  # excess attenuation of calcification over that of gland, per mm
_LEAST_CALCIFICATION_PX = 0.55  # radius; smaller ones would vanish in a coarse image
_OUTLINE_STEP_MM = 0.25


def draw_lesion(lesion: Lesion, projection: Projection, shape: tuple[int, int]) -> Float32:
    """(h, w) mm of gland equivalent that a lesion adds, chest wall on the left."""
    layer = np.zeros(shape, dtype=np.float32)
    window = _window(lesion, projection, shape)
    layer[window] = _balls(lesion, projection, window)
    if lesion.margin > 0:
        layer[window] = cv2.GaussianBlur(layer[window], (0, 0), max(lesion.margin / projection.spacing_mm, 0.3))
    if lesion.strands is not None:
        placed = replace(lesion.strands, points=lesion.strands.points + lesion.centre)
        layer += draw_strands(placed, projection, shape)
    return layer * np.float32(lesion.contrast)


def _window(lesion: Lesion, projection: Projection, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns that hold the lesion's balls and their blur."""
    x, y = projection.left_px_from_plane.points(projection.to_plane(lesion.centre))
    reach = (1.3 * lesion.radius + 3 * lesion.margin) / projection.spacing_mm + 3
    rows = slice(max(int(y - reach), 0), min(int(y + reach) + 1, shape[0]))
    return rows, slice(max(int(x - reach), 0), min(int(x + reach) + 1, shape[1]))


def _balls(lesion: Lesion, projection: Projection, window: tuple[slice, slice]) -> Float32:
    rows, columns = window
    y, x = np.mgrid[rows, columns].astype(np.float32) + 0.5
    centres = projection.left_px_from_plane.points(projection.to_plane(lesion.balls[:, :3] + lesion.centre))
    radii = lesion.balls[:, 3] / projection.spacing_mm
    is_calcium = lesion.category == 'calcification'
    density = np.full(len(radii), 1.0 if not is_calcium else _CALCIUM)
    if is_calcium:
        drawn = np.maximum(radii, _LEAST_CALCIFICATION_PX)
        density, radii = density * (radii / drawn) ** 1.5, drawn
    chords = np.zeros(x.shape, dtype=np.float32)
    for (cx, cy), radius, factor in zip(centres, radii, density, strict=True):
        half = radius**2 - (x - cx) ** 2 - (y - cy) ** 2
        if is_calcium:  # about a pixel across: its border is the pixel's
            chord = 2 * radius * np.clip(0.5 + radius - np.hypot(x - cx, y - cy), 0, 1)
        else:
            chord = 2 * np.sqrt(np.maximum(half, 0))
        np.maximum(chords, chord * factor * projection.spacing_mm, out=chords)
    return chords


def outline(lesion: Lesion, projection: Projection) -> Points:
    """(n, 2) polygon around a lesion, in continuous pixels of the image as displayed.

    A mass is followed along its border, with the inner part of its spicules; the others get the convex hull of what
    they consist of.
    """
    points = _traced(lesion, projection) if lesion.category == 'mass' else _hull(lesion, projection)
    return projection.px_from_plane.points(points)


def _discs(lesion: Lesion, projection: Projection) -> tuple[Points, Points]:
    return projection.to_plane(lesion.balls[:, :3] + lesion.centre), lesion.balls[:, 3]


def _hull(lesion: Lesion, projection: Projection) -> Points:
    centres, radii = _discs(lesion, projection)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    border = 1.0 if lesion.category == 'calcification' else 0.0
    cloud = (centres[:, None] + (radii + border)[:, None, None] * circle).reshape(-1, 2)
    if lesion.strands is not None:
        cloud = np.concatenate([cloud, projection.to_plane(lesion.strands.points + lesion.centre).reshape(-1, 2)])
    return np.asarray(cv2.convexHull(cloud.astype(np.float32))[:, 0], dtype=np.float64)


def _traced(lesion: Lesion, projection: Projection) -> Points:
    centres, radii = _discs(lesion, projection)
    if lesion.strands is not None:
        inner = projection.to_plane(lesion.strands.points[:, :4] + lesion.centre).reshape(-1, 2)
        centres = np.concatenate([centres, inner])
        radii = np.concatenate([radii, np.full(len(inner), 0.6)])
    low, high = (centres - radii[:, None]).min(axis=0) - 1, (centres + radii[:, None]).max(axis=0) + 1
    a = np.arange(low[0], high[0] + _OUTLINE_STEP_MM, _OUTLINE_STEP_MM)
    e = np.arange(low[1], high[1] + _OUTLINE_STEP_MM, _OUTLINE_STEP_MM)
    grid = np.stack(np.meshgrid(a, e, indexing='ij'), axis=-1)
    level = np.full(grid.shape[:2], -np.inf)
    for centre, radius in zip(centres, radii, strict=True):
        np.maximum(level, radius - np.linalg.norm(grid - centre, axis=-1), out=level)
    longest = max(measure.find_contours(level, 0.0), key=len)
    return np.asarray(low + longest[:-1] * _OUTLINE_STEP_MM)
