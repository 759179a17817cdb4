"""The breast as a body in 3-D, and the woman it belongs to.

Breast frame, in mm, the same for both sides: ``a`` runs from the chest wall (0) to the nipple, ``l`` from medial to
lateral, ``s`` from inferior to superior; the nipple lies on the axis ``l = s = 0``. A point of one breast and the point
of the other with the same coordinates are each other's mirror images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.rng import choose, truncated_normal
from mmmammo.structures import Laterality

GLAND_FRACTION = {'A': (0.02, 0.045), 'B': (0.045, 0.09), 'C': (0.09, 0.18), 'D': (0.19, 0.33)}
"""Volume fraction of gland per ACR class, around the class limits of volumetric densitometry."""


@dataclass(frozen=True)
class Breast:
    """Shape of one breast and how it is held; lengths in mm, angles in radians.

    Args:
        laterality: Side.
        depth: From the chest wall to the skin at the nipple's base.
        lateral: Half width, medial to lateral.
        superior: Half height, inferior to superior.
        exponent: Of the outline, with a = depth (1 - |e / width|^exponent)^(1 / roundness); 2 and 2 are an ellipse.
        roundness: Likewise; less is more pointed at the chest wall.
        upper_exponent: Likewise for the upper side of an MLO view, which slopes into the axilla.
        upper_roundness: Likewise.
        nipple_height: By which the nipple stands out.
        nipple_radius: Its half width.
        thickness: Compressed thickness.
        mlo_angle: Of the oblique projection; 0 would be CC, a right angle a true lateral.
        pectoral_tilt: Angle of the pectoral line with the vertical in the MLO view.
        pectoral_reach: Where the pectoral line leaves the MLO image: 0 on the breast's axis, 1 at the nipple's level.
        pectoral_bulge: Of the muscle's convex front over its line.
        tail: Distance of the skin in front of the muscle in the axilla.
        chest_cut: Tissue at the chest wall that a CC view misses.
        shift: Vertical displacement of the breast on the detector, CC and MLO.
    """

    laterality: Laterality
    depth: float
    lateral: float
    superior: float
    exponent: float
    roundness: float
    upper_exponent: float
    upper_roundness: float
    nipple_height: float
    nipple_radius: float
    thickness: float
    mlo_angle: float
    pectoral_tilt: float
    pectoral_reach: float
    pectoral_bulge: float
    tail: float
    chest_cut: float
    shift: tuple[float, float]

    @property
    def nipple(self) -> npt.NDArray[np.float64]:
        """(3,) tip of the nipple."""
        return np.array([self.depth + self.nipple_height, 0.0, 0.0])

    def half_width(self, angle: float) -> float:
        """Half width of the shadow of the breast's ellipsoid under a projection at ``angle``."""
        return float(np.hypot(self.lateral * np.cos(angle), self.superior * np.sin(angle)))

    def contains(self, points: npt.ArrayLike, margin: float = 0.0) -> npt.NDArray[np.bool_]:
        """Whether (..., 3) points lie in the breast's ellipsoid, at least about ``margin`` mm below its surface."""
        axes = np.array([self.depth, self.lateral, self.superior]) - margin
        array = np.asarray(points, dtype=np.float64)
        inside: npt.NDArray[np.bool_] = ((array / axes) ** 2).sum(axis=-1) <= 1
        return inside & (array[..., 0] >= margin)


@dataclass(frozen=True)
class Woman:
    """What her two breasts share, and the two.

    Args:
        age: Years.
        density: ACR class, ``'A'`` to ``'D'``.
        gland_fraction: Volume fraction of gland.
        left: Left breast.
        right: Right breast.
    """

    age: int
    density: str
    gland_fraction: float
    left: Breast
    right: Breast

    def breast(self, laterality: Laterality) -> Breast:
        """The breast of that side."""
        return self.left if laterality is Laterality.LEFT else self.right


def sample_woman(config: PhantomConfig, rng: np.random.Generator) -> Woman:
    """Draw a woman; denser breasts are, on average, younger and smaller."""
    density = choose(rng, config.density_mix)
    rank = 'ABCD'.index(density)
    age = round(truncated_normal(rng, 64 - 4 * rank, 8, (40, 84)))
    fraction = float(rng.uniform(*GLAND_FRACTION[density]))
    common = _sample_breast(rng, size=truncated_normal(rng, 1.04 - 0.03 * rank, 0.15, (0.72, 1.3)))
    return Woman(age, density, fraction, _vary(common, Laterality.LEFT, rng), _vary(common, Laterality.RIGHT, rng))


def _sample_breast(rng: np.random.Generator, size: float) -> Breast:
    """The common shape of both breasts; ``size`` is 1 for a medium one."""
    return Breast(
        laterality=Laterality.UNKNOWN,
        depth=85 * size * float(rng.uniform(0.92, 1.08)),
        lateral=80 * size * float(rng.uniform(0.92, 1.08)),
        superior=78 * size * float(rng.uniform(0.92, 1.08)),
        exponent=float(rng.uniform(1.9, 2.3)),
        roundness=float(rng.uniform(1.5, 2.2)),
        upper_exponent=float(rng.uniform(1.7, 2.1)),
        upper_roundness=float(rng.uniform(1.0, 1.25)),
        nipple_height=float(rng.uniform(1.5, 4.5)),
        nipple_radius=float(rng.uniform(4.5, 7)),
        thickness=truncated_normal(rng, 57 * size**0.5, 6, (40, 75)),
        mlo_angle=float(np.deg2rad(rng.uniform(40, 55))),
        pectoral_tilt=float(np.deg2rad(rng.uniform(14, 25))),
        pectoral_reach=float(rng.uniform(0.55, 1.15)),
        pectoral_bulge=float(rng.uniform(1, 4)),
        tail=float(rng.uniform(16, 30)) * size,
        chest_cut=float(rng.uniform(0, 6)),
        shift=(0.0, 0.0),
    )


def _vary(common: Breast, laterality: Laterality, rng: np.random.Generator) -> Breast:
    """One side: the common shape with the natural difference between two breasts and between two positionings."""
    grow = float(rng.normal(1, 0.025))
    return replace(
        common,
        laterality=laterality,
        depth=common.depth * grow,
        lateral=common.lateral * grow * float(rng.normal(1, 0.015)),
        superior=common.superior * grow * float(rng.normal(1, 0.015)),
        thickness=float(np.clip(common.thickness * rng.normal(1, 0.03), 40, 75)),
        pectoral_tilt=common.pectoral_tilt + float(np.deg2rad(rng.normal(0, 1.5))),
        pectoral_reach=common.pectoral_reach * float(rng.normal(1, 0.08)),
        tail=common.tail * float(rng.normal(1, 0.08)),
        chest_cut=float(np.clip(common.chest_cut + rng.normal(0, 1), 0, 8)),
        shift=(float(rng.normal(0, 4)), float(rng.normal(0, 3))),
    )
