"""The exact forward model: where a 3-D point of the breast lands in a CC and in an MLO image.

X-rays are parallel. Both projections keep ``a``, the depth; at the view's angle t (0 in CC, 40 to 55 degrees in MLO)
they merge the other two axes into one that points up in the image, ``e = l cos t + s sin t``. The MLO image is then
turned so that the pectoral line, ``a = 0``, leans by the breast's tilt. The distance of a point from the nipple along
``a`` is therefore the same in both views: horizontal in CC, across the pectoral line in MLO.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.breast import Breast
from mmmammo.phantom.config import DETECTOR_MM, PhantomConfig
from mmmammo.structures import Affine, BreastLandmarks, Laterality, View

Points = npt.NDArray[np.float64]
_AXILLARY_REACH = 1.5  # half widths by which the upper outline of an MLO view goes on into the axilla
_TOP_MARGIN_MM = 34.0  # of axilla above the breast in an MLO view


@dataclass(frozen=True, eq=False)
class Projection:
    """One view of one breast.

    Args:
        breast: What is projected.
        view: ``CC`` or ``MLO``.
        angle: Of the projection, radians.
        tilt: Of the depth axis below the horizontal, radians.
        origin_mm: (X, Y) of the breast frame's origin on the detector, chest wall on the left.
        spacing_mm: Of the pixels.
        shape: (h, w) of the image.
    """

    breast: Breast
    view: View
    angle: float
    tilt: float
    origin_mm: tuple[float, float]
    spacing_mm: float
    shape: tuple[int, int]

    @property
    def plane_from_breast(self) -> Points:
        """(2, 3) linear part of the map to in-plane coordinates (a, e)."""
        return np.array([[1, 0, 0], [0, np.cos(self.angle), np.sin(self.angle)]])

    @property
    def left_px_from_plane(self) -> Affine:
        """Pixels, chest wall on the left, from in-plane coordinates (a, e) in mm."""
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        (x, y), mm = self.origin_mm, self.spacing_mm
        return Affine(np.array([[cos / mm, sin / mm, x / mm], [sin / mm, -cos / mm, y / mm], [0, 0, 1]]))

    @property
    def px_from_plane(self) -> Affine:
        """Pixels of the image as displayed (a right breast points left) from in-plane coordinates (a, e) in mm."""
        if self.breast.laterality is Laterality.RIGHT:
            return Affine.mirror(self.shape[1]) @ self.left_px_from_plane
        return self.left_px_from_plane

    def to_plane(self, points_mm: npt.ArrayLike) -> Points:
        """(..., 3) points of the breast frame to (..., 2) in-plane coordinates (a, e) in mm."""
        plane: Points = np.asarray(points_mm, dtype=np.float64) @ self.plane_from_breast.T
        return plane

    def project(self, points_mm: npt.ArrayLike) -> Points:
        """(..., 3) points of the breast frame to (..., 2) continuous pixels of the image as displayed."""
        return self.px_from_plane.points(self.to_plane(points_mm))

    def outline(self) -> Points:
        """(n, 2) skin in in-plane coordinates (a, e) in mm, from the inferior (or medial) end upwards."""
        breast, width = self.breast, self.breast.half_width(self.angle)
        top = width if self.view is View.CC else 2.5 * width
        e = np.concatenate([-width * np.cos(np.linspace(0, np.pi / 2, 160)), np.linspace(0, top, 241)[1:]])
        lower = (breast.exponent, breast.roundness)
        upper = lower if self.view is View.CC else (breast.upper_exponent, breast.upper_roundness)
        exponent, roundness = (np.where(e > 0, up, down) for up, down in zip(upper, lower, strict=True))
        reach = np.where(e > 0, width * (_AXILLARY_REACH if self.view is View.MLO else 1.0), width)
        a = breast.depth * np.clip(1 - np.minimum(np.abs(e) / reach, 1) ** exponent, 0, None) ** (1 / roundness)
        if self.view is View.MLO:
            rise = np.clip(e / (0.4 * width), 0, 1)
            a = _smooth_maximum(a, breast.tail * rise, softness=26.0 * rise)
        return np.stack([a + breast.nipple_height * np.exp(-((e / breast.nipple_radius) ** 4)), e], axis=1)

    def contour(self) -> Points:
        """(n, 2) closed outline of what the image shows of breast and axilla, in pixels as displayed."""
        skin = self.left_px_from_plane.points(self.outline())
        far = 2.0 * max(self.shape)
        polygon = np.concatenate([skin, [[-far, skin[-1, 1]], [-far, skin[0, 1]]]])
        for axis, bound, sign in ((0, 0, 1), (1, 0, 1), (1, self.shape[0], -1), (0, self.shape[1], -1)):
            polygon = _clip(polygon, axis, bound, sign)
        if self.breast.laterality is Laterality.RIGHT:
            polygon = Affine.mirror(self.shape[1]).points(polygon)
        return polygon

    def landmarks(self) -> BreastLandmarks:
        """The true landmarks, in pixels as displayed."""
        contour = self.contour()
        nipple = self.project(self.breast.nipple)
        truth = dict.fromkeys(('contour', 'nipple', 'pectoral_line'), 'phantom')
        return BreastLandmarks(contour, nipple, self._pectoral_line(contour), found_by=truth)

    def _pectoral_line(self, contour: Points) -> Points:
        if self.view is View.CC:
            x = self.shape[1] if self.breast.laterality is Laterality.RIGHT else 0.0
            at_edge = contour[np.abs(contour[:, 0] - x) < 1e-6, 1]
            return np.array([[x, at_edge.min()], [x, at_edge.max()]])
        x0, y0 = np.array(self.origin_mm) / self.spacing_mm
        slope = np.tan(self.tilt)
        line = np.array([[x0 + y0 * slope, 0.0], [0.0, y0 + x0 / slope]])
        if self.breast.laterality is Laterality.RIGHT:
            line[:, 0] = self.shape[1] - line[:, 0]
        return line


def make_projection(breast: Breast, view: View, config: PhantomConfig) -> Projection:
    """Put the breast on the detector as a technician would."""
    shape, spacing = (config.height, config.width), config.pixel_spacing_mm
    if view is View.CC:
        origin = (-breast.chest_cut, DETECTOR_MM[0] / 2 + breast.shift[0])
        return Projection(breast, view, 0.0, 0.0, origin, spacing, shape)
    tilt, width = breast.pectoral_tilt, breast.half_width(breast.mlo_angle)
    x = breast.pectoral_reach * breast.depth * np.sin(tilt) * np.tan(tilt)
    y = _TOP_MARGIN_MM + width * np.cos(tilt) + breast.shift[1]
    return Projection(breast, view, breast.mlo_angle, tilt, (float(x), float(y)), spacing, shape)


def _smooth_maximum(first: Points, second: Points, softness: Points) -> Points:
    """Maximum with a corner rounded over about ``softness`` mm."""
    smooth: Points = 0.5 * (first + second + np.hypot(first - second, softness))
    return smooth


def _clip(polygon: Points, axis: int, bound: float, sign: int) -> Points:
    """Sutherland-Hodgman against one edge: keep where ``sign * (coordinate - bound) >= 0``."""
    depth = sign * (polygon[:, axis] - bound)
    kept: list[Points] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if depth[i] >= 0:
            kept.append(polygon[i])
        if (depth[i] >= 0) != (depth[j] >= 0):
            crossing = polygon[i] + (polygon[j] - polygon[i]) * depth[i] / (depth[i] - depth[j])
            crossing[axis] = bound
            kept.append(crossing)
    return np.array(kept)
