"""The front edge of the pectoral muscle as a curve, followed from the top of the breast; chest wall on the left."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from mmmammo.anatomy.gradients import Field, Gradient, breast_core, breast_gradient, usual_size

Points = npt.NDArray[np.float64]
Stack = npt.NDArray[np.float32]

_STEP = 4  # rows from one point of the path to the next
_MOVES = np.arange(-8, 3)  # columns meanwhile: from 27 degrees to the horizontal to leaning 27 degrees over
_LENGTH = np.hypot(_STEP, _MOVES)
_SCALES = (1.5, 3.0)  # px: finer than those that find the line, for the thin edge over gland
_ALONG = 2  # points on either side over which a gradient is averaged along its own direction
_COST = (0.4, 0.4)  # contrast that a stretch must have, at the top, and how much more at the bottom
_TURN_IN, _TURN_OUT = 0.2, 1.0  # cost of a bend by one column, towards the chest wall and away: most muscles are convex
_REACH = 10  # columns on either side of the line ...
_WIDENING = (0.5, 0.1)  # ... and per row, towards the chest wall and away from it
_UPPER_HALF = 0.5
_LEAST_LENGTH = 0.5  # of the line's own: a shorter path has lost the edge
_NOWHERE = np.float32(-1e6)
_NUM_POINTS = 40
_SMOOTH = 2.0  # points


@dataclass(frozen=True)
class _Paths:
    """For every point, move by which it was reached, and row: the best total, and the change of move before it."""

    total: Stack
    change: npt.NDArray[np.int8]


def track_edge(level: Field, inside: Field, line: Points) -> Points:
    """Follow the edge near a line, by dynamic programming over paths that bend little.

    A path begins at the top, falls by four rows at a time, and gains the contrast across its own direction less a
    cost. It ends where its total is greatest: at the chest wall, or where the edge fades.

    Args:
        level: (h, w) brightness at low resolution.
        inside: (h, w) share of breast.
        line: (2, 2) to begin with: falling, upper end first.

    Returns:
        (n, 2) from the top down; the line itself if the edge is lost before half of its length.
    """
    core = breast_core(inside)
    rows = np.arange(_STEP // 2, core.shape[0], _STEP)
    paths = _all_paths(_gains(_contrast(level, inside, core, rows), core, rows, line))
    path = _best_path(paths, rows)
    if np.hypot(*(path[-1] - path[0])) < _LEAST_LENGTH * np.hypot(*(line[1] - line[0])):
        return np.linspace(line[0], line[1], _NUM_POINTS)
    return path


def _contrast(
    level: Field, inside: Field, core: npt.NDArray[np.bool_], rows: npt.NDArray[np.int_]
) -> npt.NDArray[np.float32]:
    """(moves, rows, w) gradient towards the muscle across each direction, against its usual size, bounded by 1."""
    contrast = np.zeros((len(_MOVES), len(rows), core.shape[1]), dtype=np.float32)
    for sigma in _SCALES:
        dx, dy = (field[rows] for field in breast_gradient(level, inside, sigma))
        across = np.stack([dy * (m / s) - dx * (_STEP / s) for m, s in zip(_MOVES, _LENGTH, strict=True)])
        smooth = _mean_along(across.astype(np.float32))
        contrast += np.tanh(smooth / usual_size(np.abs(smooth).max(axis=0)[core[rows]])) / len(_SCALES)
    return contrast


def _mean_along(across: Stack) -> Stack:
    """Each move's field averaged over the neighbours in its own direction: what is long and thin stays, grain goes."""
    _, count, width = across.shape
    total, seen = np.zeros_like(across), np.zeros_like(across)
    for k, move in enumerate(_MOVES):
        for step in range(-_ALONG, _ALONG + 1):
            shift = int(step * move)
            here = np.s_[k, max(-step, 0) : count - max(step, 0), max(-shift, 0) : max(width - max(shift, 0), 0)]
            there = np.s_[k, max(step, 0) : count - max(-step, 0), max(shift, 0) : max(width - max(-shift, 0), 0)]
            total[here] += across[there]
            seen[here] += 1
    return np.asarray(total / seen)


def _gains(contrast: Stack, core: npt.NDArray[np.bool_], rows: npt.NDArray[np.int_], line: Points) -> Stack:
    """(moves, rows, w) what a step to a point is worth; nothing outside of the corridor around the line is."""
    height, width = core.shape
    cost = (_COST[0] + _COST[1] * rows / height)[:, None]
    outside = np.where(rows[:, None] < _UPPER_HALF * height, -cost, 0.0)
    gain = np.where(core[rows], contrast - cost, outside) * _LENGTH[:, None, None]
    x = np.arange(width) + 0.5
    on_line = line[0, 0] + (rows - line[0, 1]) * (line[1, 0] - line[0, 0]) / (line[1, 1] - line[0, 1])
    near = (x >= (on_line - _REACH - _WIDENING[0] * rows)[:, None]) & (
        x <= (on_line + _REACH + _WIDENING[1] * rows)[:, None]
    )
    return np.where(near, gain, _NOWHERE).astype(np.float32)


def _all_paths(gain: Stack) -> _Paths:
    """Best paths from the top to every point, by every last move."""
    moves, rows, width = gain.shape
    before = np.arange(width) - _MOVES[:, None]
    off = (before < 0) | (before >= width)
    source = before.clip(0, width - 1) + width * np.arange(moves)[:, None]  # in the flattened (moves, width)
    total, change = np.empty((rows, moves, width), np.float32), np.zeros((rows, moves, width), np.int8)
    total[0] = gain[:, 0]
    for row in range(1, rows):
        best, bend = _best_bends(total[row - 1])
        reached = best.ravel()[source]
        reached[off] = _NOWHERE
        np.add(reached, gain[:, row], out=total[row])
        change[row] = bend.ravel()[source]
    return _Paths(total, change)


def _best_bends(last: Field) -> tuple[Field, npt.NDArray[np.int8]]:
    """(moves, w) greatest total with which a path goes on by each move, and what is added to its last move for that."""
    away, straight, inward = np.full_like(last, _NOWHERE), last, np.full_like(last, _NOWHERE)
    np.subtract(last[:-1], _TURN_OUT, out=away[1:])
    np.subtract(last[1:], _TURN_IN, out=inward[:-1])
    best = np.maximum(away, straight)
    bend = -(away >= straight).astype(np.int8)
    bend[inward > best] = 1
    return np.maximum(best, inward), bend


def _best_path(paths: _Paths, rows: npt.NDArray[np.int_]) -> Points:
    """The path of the greatest total, from the top down, through pixel centres."""
    row, move, x = (int(i) for i in np.unravel_index(int(paths.total.argmax()), paths.total.shape))
    path = [(x, rows[row])]
    while row > 0:
        previous = move + int(paths.change[row, move, x])
        x, move, row = x - int(_MOVES[move]), previous, row - 1
        path.append((x, rows[row]))
    return np.array(path[::-1], dtype=np.float64) + 0.5


def refine_edge(gradient: Gradient, edge: Points, reach: float) -> Points:
    """Move each point across the edge to where the gradient, averaged along the edge, is greatest.

    Args:
        gradient: At full resolution.
        edge: (n, 2) in its pixels, from the top down.
        reach: Farthest move, px.

    Returns:
        (40, 2) smooth, at about equal distances.
    """
    points = _resampled(edge)
    line, deviation = _line_and_deviation(points)
    points = line + gaussian_filter1d(deviation, _SMOOTH, axis=0, mode='nearest')
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])  # towards the muscle
    shifts = np.linspace(-reach, reach, 25)
    at = (points[:, None] + shifts[:, None] * normal[:, None] - 0.5).astype(np.float32)
    dx, dy = (cv2.remap(f, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for f in gradient)
    profile = gaussian_filter1d(dx * normal[:, :1] + dy * normal[:, 1:], _SMOOTH, axis=0, mode='nearest')
    moved = gaussian_filter1d(shifts[profile.argmax(axis=1)], _SMOOTH, mode='nearest')
    return np.asarray(points + moved[:, None] * normal)


def _resampled(edge: Points) -> Points:
    """At equal distances."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(edge, axis=0).T))])
    at = np.linspace(0.0, length[-1], _NUM_POINTS)
    return np.column_stack([np.interp(at, length, edge[:, 0]), np.interp(at, length, edge[:, 1])])


def straight_line(edge: Points) -> tuple[Points, float]:
    """The straight line nearest to the whole edge (total least squares), and how far the edge strays from it.

    Args:
        edge: (n, 2) at about equal distances, from the top down.

    Returns:
        (2, 2) from the first to the last point of the edge, both put on the line, and the root of the mean squared
        distance over the line's length.
    """
    points, deviation = _line_and_deviation(edge)
    length = max(float(np.hypot(*(points[-1] - points[0]))), 1e-9)
    return points[[0, -1]], float(np.sqrt((deviation**2).sum(axis=1).mean())) / length


def _line_and_deviation(edge: Points) -> tuple[Points, Points]:
    """Each point put on the line of total least squares, and the rest."""
    middle = edge.mean(axis=0)
    _, _, axes = np.linalg.svd(edge - middle)
    on_line = middle + np.outer((edge - middle) @ axes[0], axes[0])
    return on_line, edge - on_line
