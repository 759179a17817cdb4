"""Pseudo-landmarks: the nodes that stand for the same anatomical places in every breast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.errors import LandmarkError
from mmmammo.anatomy.lines import chord_or_projection, downward
from mmmammo.structures import BreastLandmarks, View

Points = npt.NDArray[np.float64]

CORNER_MODES = ('midpoint', 'seed')

_SPARSE_LINES = 7  # up to this many nodes a line, the corner line has 3, else 4
_MAX_LISTED = 4096


def node_layout(view: View | str, num_nodes: int) -> tuple[int, int]:
    """How a number of nodes is spread: k on each of the three lines, c on the corner line.

    CC has 1 + 3 k nodes (13, 22, 100), MLO 2 + 3 k + c (17, 26, 105) with c = 3 for k <= 7, else 4.

    Returns:
        ``(k, c)``; c is 0 in a CC view.

    Raises:
        LandmarkError: If the view is neither CC nor MLO, or no k >= 2 gives this number; the nearest numbers that do
            are listed.
    """
    projection = View.parse(view)
    if projection not in (View.CC, View.MLO):
        raise LandmarkError(
            'pseudo_landmarks',
            field='view',
            found=repr(str(view)),
            expected="'CC' or 'MLO'",
            remedy='other projections are not paired and have no nodes',
        )
    for k in range(2, max(int(num_nodes), 2) // 3 + 1):
        if _total(projection, k) == num_nodes:
            return k, _corner_nodes(projection, k)
    raise LandmarkError(
        'pseudo_landmarks',
        field=f'num_nodes of {projection}',
        found=num_nodes,
        expected=f'one of … {", ".join(map(str, _nearest_totals(projection, num_nodes)))} …',
        remedy='the published pairs (CC, MLO) are (13, 17), (22, 26) and (100, 105)',
    )


def _corner_nodes(view: View, k: int) -> int:
    """Nodes of the corner line."""
    return 0 if view is View.CC else 3 if k <= _SPARSE_LINES else 4


def _total(view: View, k: int) -> int:
    """Nodes of a view with k nodes a line."""
    return 1 + 3 * k if view is View.CC else 2 + 3 * k + _corner_nodes(view, k)


def _nearest_totals(view: View, num_nodes: int) -> list[int]:
    """The four possible numbers nearest to the one asked for."""
    middle = int(np.clip(int(num_nodes) // 3, 2, _MAX_LISTED))
    totals = [_total(view, k) for k in range(max(middle - 4, 2), middle + 5)]
    return sorted(sorted(totals, key=lambda total: abs(total - num_nodes))[:4])


def pseudo_landmarks(
    landmarks: BreastLandmarks, view: View | str, num_nodes: int, corner_mode: str = 'midpoint'
) -> Points:
    """Place the nodes: items 5 to 7 of the third paper's construction.

    Order: nipple; line 1 (a third of the way from the nipple to the pectoral line, parallel to it), line 2 (two
    thirds), the pectoral line, each cut to the contour and divided evenly, ends included, from top to bottom; in MLO
    then the corner line in the same way, and the chest-wall corner: the chest-side extreme of the contour at the
    height of the pectoral line's upper end. Which side is the chest follows from the nipple, so that crops and mirrored
    images serve.

    A line reaches between its outermost intersections with a contour that is not convex; one that misses the contour
    takes the length of the contour's projection on it. Nodes are always finite.

    Args:
        landmarks: Of one view.
        view: ``'CC'`` or ``'MLO'``.
        num_nodes: Of this view, see :func:`node_layout`.
        corner_mode: ``'midpoint'`` puts the corner line half-way between corner and pectoral line; ``'seed'`` moves it
            from the line's upper end by half the distance to the corner, as printed, which is 1 / (2 sin phi) of the
            way for a line inclined by phi to the horizontal.

    Returns:
        (num_nodes, 2) in the pixels of the landmarks.

    Raises:
        LandmarkError: If the number, the view or the mode is not possible, or a landmark is not finite.
    """
    k, c = node_layout(view, num_nodes)
    _check(landmarks, corner_mode)
    contour, nipple = landmarks.contour, landmarks.nipple
    direction = downward(landmarks.pectoral_line)
    foot = landmarks.pectoral_line[0] + ((nipple - landmarks.pectoral_line[0]) @ direction) * direction
    chords = [chord_or_projection(contour, nipple + share * (foot - nipple), direction) for share in (1 / 3, 2 / 3, 1)]
    groups = [nipple[None], *(_evenly(chord, k) for chord in chords)]
    if c:
        corner = _chest_wall_corner(contour, nipple, foot, chords[2])
        offset = _corner_line_offset(corner, chords[2][0], direction, corner_mode)
        groups += [_evenly(chord_or_projection(contour, chords[2][0] + offset, direction), c), corner[None]]
    return np.concatenate(groups)


def _check(landmarks: BreastLandmarks, corner_mode: str) -> None:
    """Refuse what no nodes can be built on."""
    check_corner_mode(corner_mode)
    for part in ('contour', 'nipple', 'pectoral_line'):
        points = getattr(landmarks, part)
        if not np.isfinite(points).all() or (part == 'contour' and len(points) < 3):
            raise LandmarkError(
                'landmarks',
                field=part,
                found=f'{len(points)} values, not all finite' if len(points) else 'nothing',
                expected='finite coordinates, at least three for a contour',
                remedy='detect the landmarks again or correct them by hand',
            )


def check_corner_mode(corner_mode: str) -> None:
    """Refuse what is none.

    Raises:
        LandmarkError: If it is not one of :data:`CORNER_MODES`.
    """
    if corner_mode not in CORNER_MODES:
        raise LandmarkError(
            'pseudo_landmarks',
            field='corner_mode',
            found=repr(corner_mode),
            expected=' or '.join(map(repr, CORNER_MODES)),
            remedy='use one of these',
        )


def _evenly(chord: Points, count: int) -> Points:
    """Equally spaced points from one end to the other."""
    share = np.linspace(0.0, 1.0, count)[:, None]
    return np.asarray(chord[0] * (1 - share) + chord[1] * share)


def _chest_wall_corner(contour: Points, nipple: Points, foot: Points, pectoral: Points) -> Points:
    """Chest-side extreme of the contour, at the height of the pectoral line's upper end."""
    x = contour[:, 0].min() if nipple[0] >= foot[0] else contour[:, 0].max()
    return np.array([x, pectoral[0, 1]])


def _corner_line_offset(corner: Points, top: Points, direction: Points, corner_mode: str) -> Points:
    """From the pectoral line to the corner line, at right angles."""
    normal = np.array([-direction[1], direction[0]])
    across = float((corner - top) @ normal)
    length = abs(across) if corner_mode == 'midpoint' else float(np.hypot(*(corner - top)))
    return np.asarray(0.5 * np.copysign(length, across) * normal)
