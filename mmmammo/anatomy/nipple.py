"""The nipple, sought along the outline of a breast whose chest wall is on the left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, gaussian_filter1d

from mmmammo.anatomy.contour import curvature
from mmmammo.anatomy.lines import downward

Points = npt.NDArray[np.float64]

# Lengths below are fractions of the breast's depth, the greatest distance of its outline from the pectoral line.
_FINE = 0.02  # smoothing that keeps a nipple
_BROAD = 0.15  # smoothing that flattens it
_FRAME = 0.15  # outline this close to where the image cuts it, is bent by the cut
_WINDOW = 0.15  # a protrusion this near decides where exactly the nipple is
_LAG_WEIGHT = 10.0  # being a tenth of the depth behind the farthest point ...
_PROTRUSION_WEIGHT = 50.0  # ... weighs like a protrusion of a fiftieth
_FAR_LAG = 0.2  # ... and this much cannot be the nipple
_TIE = 0.01  # points that lie less behind the foremost one are as far
_STEEPEST = np.deg2rad(15.0)
_LEAST_PROMINENCE = 0.0015
_CLEAR_PROMINENCE = 0.008


@dataclass(frozen=True)
class NippleFound:
    """Where, how, and how sure."""

    point: Points
    found_by: str
    confidence: float


def find_nipple(contour: Points, pectoral_line: Points, size: tuple[int, ...]) -> NippleFound:
    """Where the skin is far from the chest wall and bulges.

    The score of a point of the outline is its protrusion from a smoother version of the outline, less its lag behind
    the point farthest from the pectoral line. A local peak of protrusion near the best point is the nipple. Where the
    nipple is not in profile the outline has no such peak, and the point farthest from the chest-wall edge of the image
    is taken with less confidence.

    Args:
        contour: (n, 2) closed, at equal distances, chest wall on the left.
        pectoral_line: (2, 2).
        size: Height and width of the image; the outline along its upper and lower edge is no skin.
    """
    outward = _nipple_axis(pectoral_line)
    distance = (contour - pectoral_line.mean(axis=0)) @ outward
    depth = max(float(np.ptp(distance)), 1e-6)
    step = float(np.hypot(*(contour - np.roll(contour, 1, axis=0)).T).mean())
    lag, bulge = (distance.max() - distance) / depth, _protrusion(contour, depth / step) / depth
    score = gaussian_filter1d(_PROTRUSION_WEIGHT * bulge - _LAG_WEIGHT * lag, _FINE * depth / step, mode='wrap')
    candidates = _free_skin(contour, lag, size[0], depth / step)
    score[~candidates] = -np.inf
    best = int(score.argmax())
    peak, prominence = _peak_near(bulge, best, max(round(_WINDOW * depth / step), 1))
    if prominence > _LEAST_PROMINENCE and np.isfinite(score[peak]):
        sure = 0.6 + 0.35 * min(prominence / _CLEAR_PROMINENCE, 1.0)
        return NippleFound(_middle_of_peak(contour, bulge, peak, prominence / 2), 'protrusion', sure)
    ahead = gaussian_filter1d(contour[:, 0], _FINE * depth / step, mode='wrap')
    ahead[~candidates | (lag > _FAR_LAG)] = -np.inf
    tip = _middle_of_peak(contour, ahead, int(ahead.argmax()), _TIE * depth)
    return NippleFound(tip, 'farthest_from_chest_wall', 0.5)


def _nipple_axis(pectoral_line: Points) -> Points:
    """The normal of the line, but not steeper than 15 degrees: breasts hang less than their muscle may lean."""
    direction = downward(pectoral_line)
    tilt = np.clip(np.arctan2(-direction[0], direction[1]), -_STEEPEST, _STEEPEST)
    return np.array([np.cos(tilt), np.sin(tilt)])


def _protrusion(contour: Points, depth_in_points: float) -> npt.NDArray[np.float64]:
    """How far a slightly smoothed outline lies outside of a strongly smoothed one, px."""
    fine, broad = (gaussian_filter1d(contour, s * depth_in_points, axis=0, mode='wrap') for s in (_FINE, _BROAD))
    tangent = np.roll(fine, -1, axis=0) - np.roll(fine, 1, axis=0)
    x, y = contour.T
    turn = np.sign(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    normal = turn * np.column_stack([tangent[:, 1], -tangent[:, 0]]) / np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    return np.asarray(((fine - broad) * normal).sum(axis=1))


def _free_skin(
    contour: Points, lag: npt.NDArray[np.float64], height: int, depth_in_points: float
) -> npt.NDArray[np.bool_]:
    """Points that are neither near the chest wall nor near where the image cuts the breast off."""
    x, y = contour.T
    skin = (y > 2) & (y < height - 2) & (x > x.min() + 2)
    margin = max(round(_FRAME * depth_in_points), 1)
    tripled = binary_erosion(np.tile(skin, 3), iterations=margin)[len(skin) : 2 * len(skin)]
    candidates = tripled & (lag < 0.5)
    return candidates if candidates.any() else lag < 0.5


def _peak_near(values: npt.NDArray[np.float64], start: int, reach: int) -> tuple[int, float]:
    """Highest point within reach, and by how much it tops the higher end of that stretch; 0 if it is an end itself."""
    stretch = np.take(values, np.arange(start - 2 * reach, start + 2 * reach + 1), mode='wrap')
    inner = slice(reach, 3 * reach + 1)
    top = reach + int(stretch[inner].argmax())
    if top in (reach, 3 * reach):
        return start, 0.0
    prominence = float(stretch[top] - max(stretch[: top + 1].min(), stretch[top:].min()))
    return (start - 2 * reach + top) % len(values), prominence


def _middle_of_peak(contour: Points, values: npt.NDArray[np.float64], peak: int, drop: float) -> Points:
    """Middle, on the outline, of the stretch around a peak that lies less than ``drop`` below it.

    A nipple is blunt, and the tip of a smooth breast flat to a fraction of a pixel: the peak itself would be chance.
    """
    count = len(values)
    rolled = np.roll(values, count // 2 - peak)
    below = np.flatnonzero(rolled < rolled[count // 2] - drop)
    left = below[below < count // 2].max(initial=0)
    right = below[below > count // 2].min(initial=count - 1)
    ends = [_crossing(rolled, k, towards, rolled[count // 2] - drop) for k, towards in ((left, 1), (right, -1))]
    at = (ends[0] + ends[1]) / 2 + peak - count // 2
    here, following = contour[int(np.floor(at)) % count], contour[(int(np.floor(at)) + 1) % count]
    return np.asarray(here + (at - np.floor(at)) * (following - here))


def _crossing(values: npt.NDArray[np.float64], index: int, towards: int, level: float) -> float:
    """Where, between a point below the level and its neighbour above it, the level is reached."""
    below, above = values[index], values[index + towards]
    share = (level - below) / (above - below) if np.isfinite(below) and above > below else 0.5
    return float(index + towards * share)


def paper_nipple(contour: Points, view: str, size: tuple[int, ...]) -> NippleFound:
    """Equations 5 to 8 of the third paper.

    CC: the point farthest to the right. MLO: of the points with x >= 0.75 w and y >= 0.5 h, the one of greatest
    absolute curvature; if there are none (the breast does not fill the image), the point farthest to the right.
    """
    height, width = size
    x = contour[:, 0]
    # Equal to half a pixel is equal: the middle of the extreme column, not whichever point the spline favours.
    extreme = _middle_of_peak(contour, x, int(x.argmax()), 0.5)
    if view != 'MLO':
        return NippleFound(extreme, 'extremal_x', 0.7)
    candidates = (x >= 0.75 * width) & (contour[:, 1] >= 0.5 * height)
    if not candidates.any():
        return NippleFound(extreme, 'fallback_extremal_x', 0.2)
    best = int(np.where(candidates, np.abs(curvature(contour)), -1.0).argmax())
    return NippleFound(contour[best], 'curvature', 0.6)
