"""The pectoral line of a breast whose chest wall is on the left, found by integrals along candidate lines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.lines import WALL_BAND

Points = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

_ROWS = 256  # of the image in which lines are sought
_ANGLES_DEG = np.arange(30.0, 88.1, 2.0)  # inclination to the horizontal
_TYPICAL_DEG = (45.0, 82.0)
_UPRIGHT_DEG = 79.0
_SCALES = (2.0, 5.0)  # px of that image: the edge itself, and muscle against breast
_STEP = 2.0
_LEAST_CONTRAST = 0.004  # of the brightest tissue: fainter is noise even in a smooth image
_COST = 0.25  # contrast a stretch of line must have to be worth its length
_CLEAR_SCORE = 45.0  # of a line that a person sees at once
_LEAST_CONFIDENCE = 0.3
FALLBACK_CONFIDENCE = 0.1


@dataclass(frozen=True)
class LineFound:
    """Where, how, and how sure; the line may end anywhere, its ends are cut to the contour later."""

    line: Points
    found_by: str
    confidence: float


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
    """The line, falling from the top of the breast towards the chest wall, with most contrast along it.

    Contrast is the gradient towards the upper left, at two scales, against its usual size in this breast and bounded,
    so that one bright calcification cannot outweigh a long faint edge. The integral begins at the top and stops where
    it is greatest: the lower part of the edge often drowns in gland. The best line is refined at full resolution.

    Args:
        image: (h, w) float32, breast bright on dark.
        mask: (h, w) breast.
        contour: (n, 2) outline of the mask.

    Returns:
        The line, or :func:`fallback_line` if none is seen with confidence.
    """
    low = np.floor(contour.min(axis=0)).astype(int)
    high = np.ceil(contour.max(axis=0)).astype(int)
    box = (slice(low[1], high[1]), slice(low[0], high[0]))
    level, inside = _levels(image[box], mask[box]), mask[box].astype(np.float32)
    scale = _ROWS / level.shape[0]
    size = (max(round(level.shape[1] * scale), 16), _ROWS)
    coarse = _search(_resized(level, size), _resized(inside, size))
    confidence = _confidence(coarse) if coarse is not None else 0.0
    if coarse is None or confidence < _LEAST_CONFIDENCE:
        return fallback_line(contour)
    stretch = np.array([level.shape[1] / size[0], 1 / scale])
    line = _refine(_gradient(level, inside, 2.0), coarse.line * stretch, reach=1.5 / scale)
    return LineFound(line + low, 'edge_integral', confidence)


def _resized(field: Field, size: tuple[int, int]) -> Field:
    """Averaged to (width, height)."""
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _levels(image: Field, mask: npt.NDArray[np.bool_]) -> Field:
    """Root of the intensity, 1 at the bright end of the breast: one contrast for film-like and for linear images."""
    low, high = np.percentile(image[mask][::4], (0.5, 99)) if mask.any() else (0.0, 1.0)
    return np.asarray(np.sqrt(np.clip((image - low) / max(high - low, 1e-6), 0, 1)), dtype=np.float32)


def _gradient(level: Field, inside: Field, sigma: float) -> tuple[Field, Field]:
    """Derivatives of the mean over the breast within a Gaussian, times sigma so that scales compare."""
    weight = cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(level * inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    blurred = np.asarray(blurred / np.maximum(weight, 1e-3), dtype=np.float32)
    dx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=3, scale=sigma / 8, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=3, scale=sigma / 8, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(dx, dtype=np.float32), np.asarray(dy, dtype=np.float32)


def _search(level: Field, inside: Field) -> _Candidate | None:
    """Best of all lines at low resolution; ``None`` if the breast is too thin to hold one."""
    core = cv2.erode((inside > 0.5).astype(np.uint8), np.ones((7, 7), np.uint8), borderType=cv2.BORDER_REPLICATE) > 0
    if not core.any():
        return None
    fields = []
    for sigma in _SCALES:
        dx, dy = _gradient(level, inside, sigma)
        middle, strong = np.percentile(np.hypot(dx, dy)[core], (50, 99))
        usual = max(2 * float(middle), 0.5 * float(strong), _LEAST_CONTRAST)
        fields.append((dx / usual, dy / usual))
    return max((_best_at_angle(float(angle), fields, core) for angle in _ANGLES_DEG), key=lambda found: found.score)


def _best_at_angle(angle: float, fields: list[tuple[Field, Field]], core: npt.NDArray[np.bool_]) -> _Candidate:
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
        across = np.float32(-down) * dx + np.float32(left) * dy
        contrast += np.tanh(across).ravel()[pixel] / np.float32(len(fields))
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


def _refine(gradient: tuple[Field, Field], line: Points, reach: float) -> Points:
    """Shift either end across the line, in ever finer steps, to where the mean gradient across it is greatest."""
    for step in (reach, reach / 3, reach / 9, reach / 27):
        shifts = step * np.arange(-3, 4)
        normal = np.array([line[1, 1] - line[0, 1], line[0, 0] - line[1, 0]])
        normal = -normal / max(float(np.hypot(*normal)), 1e-9)
        ends = np.tile(line, (7, 7, 1, 1))
        ends[:, :, 0] += shifts[:, None, None] * normal
        ends[:, :, 1] += shifts[None, :, None] * normal
        best = int(_mean_gradient(gradient, ends.reshape(-1, 2, 2), normal).argmax())
        line = ends.reshape(-1, 2, 2)[best]
    return line


def _mean_gradient(gradient: tuple[Field, Field], lines: Points, normal: Points) -> npt.NDArray[np.float64]:
    """Mean along each of (m, 2, 2) lines of the gradient towards ``normal``."""
    share = np.linspace(0.0, 1.0, 160)[:, None]
    points = lines[:, None, 0] * (1 - share) + lines[:, None, 1] * share - 0.5
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    sampled = [cv2.remap(f, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for f in gradient]
    return np.asarray((sampled[0] * normal[0] + sampled[1] * normal[1]).mean(axis=1), dtype=np.float64)
