"""The pectoral line of a breast whose chest wall is on the left: integrals along lines, then the edge followed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.gradients import Field, Gradient, breast_core, breast_gradient, brightness_root, usual_size
from mmmammo.anatomy.lines import WALL_BAND
from mmmammo.anatomy.pectoral_edge import refine_edge, straight_line, track_edge

Points = npt.NDArray[np.float64]

_ROWS = 256  # of the image in which lines are sought
_ANGLES_DEG = np.arange(30.0, 88.1, 2.0)  # inclination to the horizontal
_TYPICAL_DEG = (45.0, 82.0)
_UPRIGHT_DEG = 79.0
_SCALES = (2.0, 5.0)  # px of that image: the edge itself, and muscle against breast
_STEP = 2.0
_COST = 0.25  # contrast a stretch of line must have to be worth its length
_CLEAR_SCORE = 45.0  # of a line that a person sees at once
_LEAST_CONFIDENCE = 0.3
_EDGE_SIGMA = 1.6  # px of that image, in which the edge is placed at full resolution
_EDGE_REACH = 1.5  # px likewise
_BLUR_REACH = 6.0  # sigmas around an edge beyond which no pixel has a share in its gradient
_BENT = 4.0  # confidence lost per distance of the edge from its line, over the line's length
FALLBACK_CONFIDENCE = 0.1


@dataclass(frozen=True)
class LineFound:
    """Where, how, and how sure; the line may end anywhere, its ends are cut to the contour later."""

    line: Points
    found_by: str
    confidence: float
    edge: Points | None = None  # (n, 2), from the top down; the line is the straight one nearest to it


@dataclass(frozen=True)
class _Candidate:
    score: float
    line: Points  # (2, 2): from the top of the breast to where the contrast ends
    contrast: float  # mean over that stretch, at most 1
    angle: float


def chest_wall_line(contour: Points) -> LineFound:
    """The vertical chest-wall edge of the breast: equation 9 of the third paper, from its upper to its lower end."""
    x = contour[:, 0]
    wall = contour[x <= x.min() + WALL_BAND * np.ptp(x), 1]
    return LineFound(np.array([[x.min(), wall.min()], [x.min(), wall.max()]]), 'chest_wall_edge', 0.9)


def fallback_line(contour: Points) -> LineFound:
    """60 degrees through the upper corner of the region in which the muscle is expected, 0.4 of the breast's width."""
    low, high = contour.min(axis=0), contour.max(axis=0)
    run = 0.4 * (high[0] - low[0])
    line = np.array([[low[0] + run, low[1]], [low[0], low[1] + run * np.tan(np.pi / 3)]])
    return LineFound(line, 'fallback_60deg', FALLBACK_CONFIDENCE)


def find_pectoral_line(image: Field, mask: npt.NDArray[np.bool_], contour: Points) -> LineFound:
    """The straight line nearest to the whole visible edge of the muscle.

    First, of all lines falling from the top of the breast towards the chest wall, the one with most contrast along it.
    Contrast is the gradient towards the upper left, at two scales, against its usual size in this breast and bounded,
    so that one bright calcification cannot outweigh a long faint edge. The integral begins at the top and stops where
    it is greatest: the lower part of the edge often drowns in gland. A straight line lies along a part of a curved
    muscle only, so from it the edge is followed down to the chest wall, and a line is laid through all of it.

    Args:
        image: (h, w) float32, breast bright on dark.
        mask: (h, w) breast.
        contour: (n, 2) outline of the mask.

    Returns:
        The line and the edge, or :func:`fallback_line` if none is seen with confidence.
    """
    low = np.floor(contour.min(axis=0)).astype(int)
    high = np.ceil(contour.max(axis=0)).astype(int)
    box = (slice(low[1], high[1]), slice(low[0], high[0]))
    level, inside = brightness_root(image[box], mask[box]), mask[box].astype(np.float32)
    scale = _ROWS / level.shape[0]
    size = (max(round(level.shape[1] * scale), 16), _ROWS)
    coarse_level, coarse_inside = _resized(level, size), _resized(inside, size)
    coarse = _search(coarse_level, coarse_inside)
    confidence = _confidence(coarse) if coarse is not None else 0.0
    if coarse is None or confidence < _LEAST_CONFIDENCE:
        return fallback_line(contour)
    stretch = np.array([level.shape[1] / size[0], 1 / scale])
    tracked = track_edge(coarse_level, coarse_inside, coarse.line) * stretch
    sigma, reach = max(_EDGE_SIGMA / scale, _EDGE_SIGMA), _EDGE_REACH / scale
    part, corner = _around(tracked, level.shape, _BLUR_REACH * sigma + 2 * reach)
    gradient = breast_gradient(level[part], inside[part], sigma)
    edge = refine_edge(gradient, tracked - corner, reach) + corner + low
    line, residual = straight_line(edge)
    return LineFound(line, 'edge_integral', round(confidence * max(1 - _BENT * residual, 0.0), 3), edge)


def _around(points: Points, shape: tuple[int, ...], margin: float) -> tuple[tuple[slice, slice], Points]:
    """The part of an image that points lie in, with a margin, and its upper left corner (x, y)."""
    low = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + margin), shape[::-1]).astype(int)
    return (slice(low[1], high[1]), slice(low[0], high[0])), low.astype(np.float64)


def _resized(field: Field, size: tuple[int, int]) -> Field:
    """Averaged to (width, height)."""
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _search(level: Field, inside: Field) -> _Candidate | None:
    """Best of all lines at low resolution; ``None`` if the breast is too thin to hold one."""
    core = breast_core(inside)
    if not core.any():
        return None
    fields = []
    for sigma in _SCALES:
        dx, dy = breast_gradient(level, inside, sigma)
        usual = usual_size(np.hypot(dx, dy)[core])
        fields.append((dx / usual, dy / usual))
    return max((_best_at_angle(float(angle), fields, core) for angle in _ANGLES_DEG), key=lambda found: found.score)


def _best_at_angle(angle: float, fields: list[Gradient], core: npt.NDArray[np.bool_]) -> _Candidate:
    """Best offset and length at one inclination."""
    height, width = core.shape
    left, down = -np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    along = np.arange(0.0, 1.2 * height, _STEP, dtype=np.float32)
    along = along[along * down < height]
    start = np.arange(0.12 * width, width, _STEP, dtype=np.float32)
    x, y = start[:, None] + np.float32(left) * along, np.float32(down) * along
    pixel = y.astype(np.intp) * width + np.maximum(x, 0).astype(np.intp)
    seen = (x >= 0) & core.ravel()[pixel]
    contrast = np.zeros(x.shape, dtype=np.float32)
    for dx, dy in fields:  # towards the muscle: up and to the left
        across = np.float32(-down) * dx.ravel()[pixel] + np.float32(left) * dy.ravel()[pixel]
        contrast += np.tanh(across) / np.float32(len(fields))
    gain = np.where(seen, contrast - _COST, np.where((x >= 0) & (y < 0.5 * height), -_COST, 0.0))
    total = np.cumsum(gain, axis=1) * (_STEP * _usualness(angle))
    best = int(total.max(axis=1).argmax())
    end = int(total[best].argmax())
    line = np.stack([np.array([start[best], 0.0]), np.array([x[best, end], y[end]])])
    mean = float(contrast[best, : end + 1][seen[best, : end + 1]].mean()) if seen[best, : end + 1].any() else 0.0
    return _Candidate(float(total[best, end]), line, mean, angle)


def _usualness(angle: float) -> float:
    """1 for the inclinations that most muscles have, 0.8 for an upright line: the tie-breaker between near equals."""
    return 1.0 - 0.2 * float(np.clip((angle - _UPRIGHT_DEG) / (90 - _UPRIGHT_DEG), 0, 1))


def _confidence(found: _Candidate) -> float:
    """Contrast times length against those of a clear muscle, less for an unusual inclination."""
    strength = min(max(found.score, 0.0) / _CLEAR_SCORE, 1.0)
    off = max(_TYPICAL_DEG[0] - found.angle, found.angle - _TYPICAL_DEG[1], 0.0)
    return round(float(np.clip(found.contrast, 0, 1) * strength * (1 - off / 30)), 3)
