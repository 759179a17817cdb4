"""From gland, strands and lesions to the image on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

from mmmammo.phantom.config import ASYMMETRIES
from mmmammo.phantom.drawing import draw_lesion
from mmmammo.phantom.lesions import Lesion
from mmmammo.phantom.projection import Projection
from mmmammo.phantom.spectrum import band_noise, impose_power_law, power_law_noise
from mmmammo.phantom.tissue import Float32, Gland, Strands, draw_strands
from mmmammo.phantom.vendors import Vendor
from mmmammo.structures import Affine, Laterality, View

BETA = {View.CC: (3.17, 0.23), View.MLO: (3.30, 0.24)}
"""Mean and deviation among women of the gland's spectral exponent (Chen et al., Med Phys 39(3), 2012)."""
_FAT_LEVEL = 0.17
_HALF_GLAND_MM = 23.0  # of gland equivalent brings a pixel from fat 63 % of the way to white
_NOISE = 0.025  # deviation of a full-resolution pixel, 0.07 mm


@dataclass(frozen=True, eq=False)
class Canvas:
    """The columns of an image that hold breast, and where every pixel is; chest wall on the left.

    Args:
        projection: Of the view.
        shape: (h, w) of the canvas; w is at most the image's.
        skin_mm: (h, w) distance to the skin inside the breast, 0 outside.
        depth_mm: (h, w) coordinate a of the pixel centres.
        height_mm: (h, w) coordinate e of the pixel centres.
    """

    projection: Projection
    shape: tuple[int, int]
    skin_mm: Float32
    depth_mm: Float32
    height_mm: Float32


@dataclass(frozen=True, eq=False)
class Rendering:
    """One view as displayed; a right breast points left.

    Args:
        image: (h, w) float32 in [0, 1], exactly 0 in air.
        gland_region: (h, w) bool, where there is a good deal of gland.
    """

    image: Float32
    gland_region: npt.NDArray[np.bool_]


def make_canvas(projection: Projection) -> Canvas:
    """Rasterise the outline."""
    contour = projection.contour()
    height, width = projection.shape
    if projection.breast.laterality is Laterality.RIGHT:
        contour = Affine.mirror(width).points(contour)
    # A width of small prime factors: every texture is a Fourier transform of this size.
    shape = (height, min(width, fft.next_fast_len(int(contour[:, 0].max()) + 8, real=True)))
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint((contour - 0.5) * 16).astype(np.int32)], 1, shift=4)
    skin = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5) * np.float32(projection.spacing_mm)
    inverse = projection.left_px_from_plane.inverse().matrix.astype(np.float32)
    x = np.arange(shape[1], dtype=np.float32) + 0.5
    y = np.arange(shape[0], dtype=np.float32)[:, None] + 0.5
    a, e = (inverse[i, 0] * x + inverse[i, 1] * y + inverse[i, 2] for i in (0, 1))
    return Canvas(projection, shape, skin, a, e)


def render(
    projection: Projection,
    gland: Gland,
    strands: Strands,
    lesions: Sequence[Lesion],
    vendor: Vendor,
    rng: np.random.Generator,
) -> Rendering:
    """Draw one view.

    Args:
        projection: Which view of which breast.
        gland: Of that breast.
        strands: Of that breast.
        lesions: Whatever this view shows, findings and decoys alike.
        vendor: Whose processing.
        rng: For what is this view's own: fine texture and noise.
    """
    canvas = make_canvas(projection)
    thickness = _coarse_gland(canvas, gland)
    region = (thickness > 0.2 * np.percentile(thickness, 98)) & (canvas.skin_mm > 8)
    for lesion in lesions:
        if lesion.category in ASYMMETRIES:
            thickness += draw_lesion(lesion, projection, canvas.shape)
    tissue = _tissue(canvas, thickness, strands, rng)
    for lesion in lesions:
        if lesion.category == 'distortion':
            tissue = _pull(tissue, lesion, canvas)
        if lesion.category not in ASYMMETRIES:
            tissue += draw_lesion(lesion, projection, canvas.shape)
    tissue += _nipple(canvas)
    if projection.view is View.MLO:
        tissue += _muscle(canvas, rng)
    image = _develop(tissue, canvas, vendor, rng)
    return Rendering(_place(image, projection), _place(region, projection))


def _tissue(canvas: Canvas, thickness: Float32, strands: Strands, rng: np.random.Generator) -> Float32:
    """Gland and strands, mm of gland equivalent, with the spectrum of a mammogram."""
    projection = canvas.projection
    textured = thickness * np.clip(1 + 0.9 * _fine_texture(canvas, rng), 0.05, None)
    textured += draw_strands(strands, projection, canvas.shape)
    mean, deviation = BETA[projection.view]
    beta = float(np.clip(rng.normal(mean, deviation), mean - 2 * deviation, mean + 2 * deviation))
    shaped = impose_power_law(textured, projection.spacing_mm, beta, lowest=0.07)
    depth = 4 + 2.5 * power_law_noise(canvas.shape, projection.spacing_mm, 4.0, rng)
    rim = np.clip((canvas.skin_mm - depth) / 8, 0, 1)
    return np.asarray(np.maximum(shaped, 0) * rim * rim * (3 - 2 * rim), dtype=np.float32)


def _coarse_gland(canvas: Canvas, gland: Gland) -> Float32:
    """The shared 3-D field's shadow, interpolated to the pixels."""
    projection, coarse = canvas.projection, gland.thickness(canvas.projection)
    n, width = coarse.shape[0], gland.breast.half_width(projection.angle)
    columns = canvas.depth_mm * np.float32((n - 1) / gland.breast.depth)
    rows = (canvas.height_mm / np.float32(width) + 1) * np.float32((n - 1) / 2)
    columns, rows = np.broadcast_arrays(columns, rows)
    return cv2.remap(coarse, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC, borderValue=0)


def _fine_texture(canvas: Canvas, rng: np.random.Generator) -> Float32:
    """What the coarse field cannot hold: cloudy 1/f texture, and septa that run towards the nipple."""
    spacing = canvas.projection.spacing_mm
    texture = 0.45 * power_law_noise(canvas.shape, spacing, 2.6, rng, lowest=0.06)
    for centre, weight in ((0.1, 0.25), (0.2, 0.3), (0.4, 0.25)):
        septa = np.exp(-((band_noise(canvas.shape, spacing, centre, rng, stretch=2.0) / 0.45) ** 2))
        texture += weight * _converge((septa - septa.mean()) / septa.std(), canvas)
    return np.asarray(texture, dtype=np.float32)


def _converge(field: Float32, canvas: Canvas) -> Float32:
    """Bend a field so that its horizontal structures run towards the nipple."""
    projection, breast = canvas.projection, canvas.projection.breast
    narrowing = np.clip(1.25 - canvas.depth_mm / breast.depth, 0.3, 1.5)
    a, e = canvas.depth_mm, canvas.height_mm / narrowing
    (x0, y0), mm = projection.origin_mm, projection.spacing_mm
    x, y = (a + x0) / mm - 0.5, (y0 - e) / mm - 0.5
    return cv2.remap(
        field.astype(np.float32),
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _pull(tissue: Float32, lesion: Lesion, canvas: Canvas) -> Float32:
    """Draw the surrounding tissue in towards a distortion's centre."""
    centre = canvas.projection.to_plane(lesion.centre)
    px = canvas.projection.left_px_from_plane.points(centre) - 0.5
    y, x = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]].astype(np.float32)
    dx, dy = x - np.float32(px[0]), y - np.float32(px[1])
    reach = np.float32((lesion.radius / canvas.projection.spacing_mm) ** 2)
    factor = 1 + np.float32(0.7) * np.exp(-(dx * dx + dy * dy) / reach)
    return cv2.remap(tissue, np.float32(px[0]) + dx * factor, np.float32(px[1]) + dy * factor, cv2.INTER_LINEAR)


def _nipple(canvas: Canvas) -> Float32:
    """The nipple and the tissue right behind it."""
    breast = canvas.projection.breast
    depth = (canvas.depth_mm - breast.depth - 0.5) / 5.0
    across = canvas.height_mm / breast.nipple_radius
    return np.asarray(9 * np.exp(-(depth**2) - across**2), dtype=np.float32)


def _muscle(canvas: Canvas, rng: np.random.Generator) -> Float32:
    """The pectoral muscle behind its slightly convex front, thinner towards its lower end."""
    breast, spacing = canvas.projection.breast, canvas.projection.spacing_mm
    top, bottom = float(canvas.height_mm.max()), float(-breast.depth * np.sin(breast.pectoral_tilt))
    along = np.clip((canvas.height_mm - bottom) / (top - bottom), 0, 1)
    front = breast.pectoral_bulge * (4 * along * (1 - along) - 0.5)
    behind = front - canvas.depth_mm
    edge = np.clip((behind + 1.0) / 2.0, 0, 1)
    body = 0.5 + 0.5 * (1 - np.exp(-np.maximum(behind, 0) / 18))
    fibres = band_noise(canvas.shape[::-1], spacing, 0.1, rng, stretch=5).T
    cloud = power_law_noise(canvas.shape, spacing, 2.8, rng)
    thickness = float(rng.uniform(11, 24)) * (0.5 + 0.5 * np.sqrt(along))
    return np.asarray(thickness * edge * body * (1 + 0.025 * fibres + 0.06 * cloud), dtype=np.float32)


def _develop(tissue: Float32, canvas: Canvas, vendor: Vendor, rng: np.random.Generator) -> Float32:
    """Attenuation to display: edge falloff, skin, tone curve, blur and noise."""
    spacing = canvas.projection.spacing_mm
    fat = _FAT_LEVEL * (1 + 0.12 * power_law_noise(canvas.shape, spacing, 3.0, rng))
    bright = fat + (1 - _FAT_LEVEL) * (1 - np.exp(-tissue / _HALF_GLAND_MM))
    falloff = 1 - np.exp(-canvas.skin_mm / 2.5)
    skin = vendor.skin_line * np.exp(-(((canvas.skin_mm - 1.2) / 0.9) ** 2))
    image = np.clip(bright * falloff + skin * 0.6, 0, 1) ** vendor.gamma
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), max(0.1 / spacing, 0.3))
    deviation = _NOISE * min(0.07 / spacing, 1)
    image += np.float32(deviation) * np.sqrt(0.3 + image) * rng.standard_normal(canvas.shape, dtype=np.float32)
    return np.where(canvas.skin_mm > 0, np.clip(image, 0, 1), 0).astype(np.float32)


def _place(canvas_array: npt.NDArray[Any], projection: Projection) -> npt.NDArray[Any]:
    """From the canvas to the whole detector, mirrored for a right breast."""
    full = np.zeros(projection.shape, dtype=canvas_array.dtype)
    full[:, : canvas_array.shape[1]] = canvas_array
    return np.ascontiguousarray(full[:, ::-1]) if projection.breast.laterality is Laterality.RIGHT else full
