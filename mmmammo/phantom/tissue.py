"""Gland in 3-D, shared by all views, and the strands that run through it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage, optimize

from mmmammo.phantom.breast import Breast, Woman
from mmmammo.phantom.projection import Projection
from mmmammo.phantom.spectrum import band_noise, power_law_noise
from mmmammo.structures import Laterality

Float32 = npt.NDArray[np.float32]
_GRID = 96  # samples per axis of the shared field; finer structure is drawn per view
_BETA_3D = 3.2  # a projection along one axis keeps the exponent
_ROUGHNESS = 0.75  # of the gland's border and of the fat within it, against the envelope's height of about 1
_SYMMETRY = 0.75  # share of the field's variance that both breasts have in common


@dataclass(frozen=True, eq=False)
class Gland:
    """Fraction of gland in a breast.

    Args:
        fraction: (n, n, n) over a in [0, 1] depths, l and s in [-1, 1] half widths.
        breast: Whose.
    """

    fraction: Float32
    breast: Breast

    def thickness(self, projection: Projection) -> Float32:
        """(n, n) mm of gland along the rays of a projection; rows e from -1 to 1 half widths, columns a from 0 to 1."""
        width, n = self.breast.half_width(projection.angle), _GRID
        e, t = np.meshgrid(np.linspace(-1, 1, n) * width, np.linspace(-1, 1, n // 2) * width, indexing='ij')
        cos, sin = np.cos(projection.angle), np.sin(projection.angle)
        l_index = ((e * cos - t * sin) / self.breast.lateral + 1) * (n - 1) / 2
        s_index = ((e * sin + t * cos) / self.breast.superior + 1) * (n - 1) / 2
        flat = self.fraction.reshape(n, -1)
        weights, columns = _bilinear(l_index.ravel(), s_index.ravel(), n)
        sampled = sum(flat[:, column] * weight for weight, column in zip(weights, columns, strict=True))
        mean = np.asarray(sampled, dtype=np.float32).reshape(n, n, n // 2).mean(axis=2)
        return np.ascontiguousarray(mean.T) * np.float32(self.breast.thickness)


def _bilinear(rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], n: int) -> tuple[list, list]:
    """Weights and flat indices of the four neighbours on an (n, n) grid; weight 0 outside."""
    weights, indices = [], []
    r0, c0 = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for dr in (0, 1):
        for dc in (0, 1):
            r, c = r0 + dr, c0 + dc
            inside = (r >= 0) & (r < n) & (c >= 0) & (c < n)
            weight = (1 - np.abs(rows - r)) * (1 - np.abs(columns - c)) * inside
            weights.append(weight.astype(np.float32))
            indices.append(np.where(inside, r * n + c, 0))
    return weights, indices


def sample_glands(woman: Woman, rng: np.random.Generator) -> dict[Laterality, Gland]:
    """Draw both breasts' gland: one field in common, and one of its own for each."""
    envelope, common = _envelope(rng), _texture(woman, rng)
    glands = {}
    for side in (Laterality.LEFT, Laterality.RIGHT):
        field = np.sqrt(_SYMMETRY) * common + np.sqrt(1 - _SYMMETRY) * _texture(woman, rng)
        level = envelope + np.float32(_ROUGHNESS) * field
        glands[side] = Gland(_threshold(level, woman.gland_fraction), woman.breast(side))
    return glands


def _texture(woman: Woman, rng: np.random.Generator) -> Float32:
    """Cloudy 1/f structure plus the sheets (Cooper's ligaments) that part the fat into lobules; unit deviation."""
    shape, spacing = (_GRID,) * 3, 2 * woman.left.lateral / _GRID
    cloud = power_law_noise(shape, spacing, _BETA_3D, rng, lowest=0.012)
    sheets = np.exp(-((band_noise(shape, spacing, 0.045, rng) / 0.4) ** 2))
    field = 0.85 * cloud + 0.5 * (sheets - sheets.mean()) / sheets.std()
    return _converge(field.astype(np.float32))


def _converge(field: Float32) -> Float32:
    """Bend a field so that its structures run towards the nipple, narrowing on the way."""
    n, centre = _GRID, (_GRID - 1) / 2
    bent = np.empty_like(field)
    for i in range(n):
        depth = i / (n - 1)
        # Along the depth only the middle part is used, which draws structures out in that direction.
        below, rest = divmod((0.25 + 0.5 * depth) * (n - 1), 1)
        plane = (1 - rest) * field[int(below)] + rest * field[int(below) + 1]
        zoom = 0.8 / (1.15 - 0.85 * depth)
        matrix = np.array([[zoom, 0, centre * (1 - zoom)], [0, zoom, centre * (1 - zoom)]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        bent[i] = cv2.warpAffine(plane, matrix, (n, n), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return bent


def _envelope(rng: np.random.Generator) -> Float32:
    """Where gland tends to be: a cone from the nipple, most of it in the upper outer quadrant."""
    a = np.linspace(0, 1, _GRID, dtype=np.float32)[:, None, None]
    lateral = np.linspace(-1, 1, _GRID, dtype=np.float32)[None, :, None]
    superior = np.linspace(-1, 1, _GRID, dtype=np.float32)[None, None, :]
    back = float(rng.uniform(0.12, 0.34))
    shift = np.clip((0.95 - a) / 0.6, 0, 1)
    outer, upper = float(rng.uniform(0.08, 0.25)), float(rng.uniform(0.04, 0.2))
    radius = np.sqrt((lateral - outer * shift) ** 2 + (superior - upper * shift) ** 2)
    opening = 0.06 + float(rng.uniform(0.6, 0.75)) * np.clip((0.99 - a) / 0.6, 0, 1) ** 0.7
    sides = 1.4 * (1 - (radius / opening) ** 2)
    return np.asarray(np.clip(np.minimum(sides, 7 * (a - back)), -4, 1.1), dtype=np.float32)


def _threshold(level: Float32, fraction: float) -> Float32:
    """Soft threshold of a level field, set so that the mean over the ellipsoid is ``fraction``."""
    axis = np.linspace(-1, 1, _GRID)
    squares = np.linspace(0, 1, _GRID)[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    inside = level[squares <= 1]

    def excess(threshold: float) -> float:
        return float((1 / (1 + np.exp(-(inside - threshold) / 0.12))).mean()) - fraction

    threshold = optimize.brentq(excess, -8.0, 8.0, xtol=1e-3)
    gland = 1 / (1 + np.exp(-(level - threshold) / 0.12))
    return np.asarray(gland * np.clip((1.02 - squares) / 0.2, 0, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Strands:
    """Thin 3-D curves: ligaments, vessels, ducts.

    Args:
        points: (m, k, 3) in the breast frame, mm.
        widths: (m,) mm.
        densities: (m,) mm of gland equivalent across.
    """

    points: npt.NDArray[np.float64]
    widths: npt.NDArray[np.float64]
    densities: npt.NDArray[np.float64]


def sample_strands(breast: Breast, rng: np.random.Generator) -> Strands:
    """Ligaments through the whole breast, ducts that converge on the nipple, and a few vessels under the skin."""
    parts = [_ligaments(breast, rng, 1100), _ducts(breast, rng, 24), _vessels(breast, rng, 5)]
    return Strands(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ('points', 'widths', 'densities'))
    )


def _curves(
    starts: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.float64],
    bend: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """(m, 16, 3) gently wandering curves."""
    steps = directions[:, None] + bend * np.cumsum(rng.normal(size=(len(starts), 16, 3)), axis=1) / 4
    steps /= np.linalg.norm(steps, axis=-1, keepdims=True)
    path: npt.NDArray[np.float64] = starts[:, None] + np.cumsum(steps, axis=1) * (lengths / 16)[:, None, None]
    return path


def _ligaments(breast: Breast, rng: np.random.Generator, count: int) -> Strands:
    axes = np.array([breast.depth, breast.lateral, breast.superior])
    ball = rng.normal(size=(count, 3))
    ball *= (rng.uniform(0, 1, (count, 1)) ** (1 / 3)) / np.linalg.norm(ball, axis=1, keepdims=True)
    starts = np.abs(ball) * [1, 0, 0] * axes + ball * [0, 1, 1] * axes
    to_nipple = breast.nipple - starts
    directions = to_nipple / np.linalg.norm(to_nipple, axis=1, keepdims=True) + rng.normal(0, 0.5, (count, 3))
    lengths = rng.gamma(3, 9, count)
    density = rng.gamma(1.0, 0.8, count)
    return Strands(_curves(starts, directions, lengths, 0.45, rng), rng.uniform(0.2, 0.55, count), density)


def _ducts(breast: Breast, rng: np.random.Generator, count: int) -> Strands:
    starts = np.tile([breast.depth - 1.0, 0.0, 0.0], (count, 1)) + rng.normal(0, 1.2, (count, 3))
    aims = np.stack([-np.ones(count), rng.normal(0, 0.55, count), rng.normal(0, 0.55, count)], axis=1)
    lengths = rng.uniform(0.2, 0.6, count) * breast.depth
    return Strands(_curves(starts, aims, lengths, 0.4, rng), rng.uniform(0.6, 1.4, count), rng.gamma(3, 0.5, count))


def _vessels(breast: Breast, rng: np.random.Generator, count: int) -> Strands:
    angle = rng.uniform(0, 2 * np.pi, count)
    rim = np.stack([np.full(count, 0.15), 0.85 * np.cos(angle), 0.85 * np.sin(angle)], axis=1)
    starts = rim * [breast.depth, breast.lateral, breast.superior]
    directions = breast.nipple * 0.8 - starts
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = rng.uniform(0.4, 0.8, count) * breast.depth
    return Strands(
        _curves(starts, directions, lengths, 0.35, rng), rng.uniform(0.9, 1.6, count), rng.gamma(3, 0.4, count)
    )


def draw_strands(strands: Strands, projection: Projection, shape: tuple[int, int]) -> Float32:
    """(h, w) mm of gland equivalent that the strands add, chest wall on the left.

    A strand thinner than a pixel is drawn one pixel wide and as much fainter.
    """
    points = projection.left_px_from_plane.points(projection.to_plane(strands.points))
    fixed = np.rint((points - 0.5) * 16).astype(np.int32)
    widths_px = strands.widths / projection.spacing_mm
    values = strands.densities * np.minimum(widths_px, 1)
    layers = np.zeros(shape, dtype=np.float32)
    # Overlaps add across layers only; within one the 8-bit anti-aliasing of OpenCV lets the last stroke win.
    order = np.argsort(values, kind='stable')
    for group in np.array_split(order, 6):
        layer = np.zeros(shape, dtype=np.uint8)
        level = float(values[group].mean())
        for i in group:
            thickness = max(round(float(widths_px[i])), 1)
            cv2.polylines(layer, [fixed[i]], False, 255, thickness, cv2.LINE_AA, shift=4)
        layers += layer.astype(np.float32) * np.float32(level / 255)
    return np.asarray(ndimage.gaussian_filter(layers, 0.15 / projection.spacing_mm), dtype=np.float32)
