"""Which finding of a CC view is which of the MLO view of the same breast, and which lie at mirrored places.

Each cue says how much likelier what is seen is under *one lesion* than under *two*: a log likelihood ratio. The cues
are added, as if independent, and the sum is turned into a probability at even prior odds:

* depth: how far behind the nipple a finding lies, towards the pectoral line, is nearly the same in both views (the
  straight strip of multi-view computer-aided detection). Both differences are taken as normal.
* size: the same of the logarithm of the size.
* offset, between the same views of two breasts only: how far a finding lies above or below the nipple, along the
  pectoral line.
* nodes: how much more often the training lesions had their places at these two pseudo-landmarks than chance would have
  it, if there is a geometric prior.

All lengths are shares of the depth of the breast in their view, so that neither pixel size nor magnification matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from mmmammo.anatomy.correspondence import GeometricPrior, nearest_node, spread_counts
from mmmammo.anatomy.lines import downward
from mmmammo.anatomy.pseudo_landmarks import pseudo_landmarks
from mmmammo.structures import BreastLandmarks, MammoError

FloatArray = npt.NDArray[np.float64]

_MOST_NODE_ODDS = 2.0
_NODE_REACH = 0.1  # of the unit box of the breast: counts are shared with the next node


@dataclass(frozen=True)
class Spread:
    """Standard deviation of a difference between two views.

    Args:
        same: Of one lesion.
        other: Of two lesions.

    Raises:
        MammoError: Unless 0 < same < other.
    """

    same: float
    other: float

    def __post_init__(self) -> None:
        if not 0 < self.same < self.other:
            raise MammoError(
                'lesion matching',
                field='spread (same, other)',
                found=(self.same, self.other),
                expected='0 < same < other: one lesion differs less from view to view than two lesions do',
                remedy='correct the two numbers',
            )

    def log_odds(self, differences: FloatArray) -> FloatArray:
        """Log likelihood ratio of two centred normal densities, one lesion over two."""
        precision = 1 / self.same**2 - 1 / self.other**2
        return np.asarray(np.log(self.other / self.same) - differences**2 * precision / 2)


DEPTH = Spread(same=0.1, other=0.3)
"""Of the depth behind the nipple. Two lesions of the phantom: 0.28. One: breasts shift by about a tenth."""
LOG_SIZE = Spread(same=0.35, other=0.6)
"""Of the logarithm of the size."""
OFFSET = Spread(same=0.15, other=0.45)
"""Of the offset along the pectoral line, between mirrored places of two breasts."""


def relative_depths(points: npt.ArrayLike, landmarks: BreastLandmarks) -> FloatArray:
    """How far behind the nipple points lie, at right angles to the pectoral line: 0 at the nipple, 1 at the line.

    Args:
        points: (n, 2) in the pixels of the landmarks.
        landmarks: Of the view.

    Returns:
        (n,).
    """
    direction = downward(landmarks.pectoral_line)
    normal = np.array([-direction[1], direction[0]])
    depth = float((landmarks.pectoral_line[0] - landmarks.nipple) @ normal)
    return np.asarray((np.asarray(points, dtype=np.float64).reshape(-1, 2) - landmarks.nipple) @ normal / _safe(depth))


def relative_offsets(points: npt.ArrayLike, landmarks: BreastLandmarks) -> FloatArray:
    """How far below the nipple points lie, along the pectoral line, as shares of the breast's depth; above it, below 0.

    Args:
        points: (n, 2) in the pixels of the landmarks.
        landmarks: Of the view.

    Returns:
        (n,).
    """
    along = np.asarray(points, dtype=np.float64).reshape(-1, 2) - landmarks.nipple
    return np.asarray(along @ downward(landmarks.pectoral_line) / _safe(_depth(landmarks)))


def node_log_odds(prior: GeometricPrior) -> FloatArray:
    """(n_c, n_m): log of how much oftener than by chance the lesions of the prior lay at both nodes, within +-2."""
    counts = spread_counts(prior.counts, prior.template_cc, prior.template_mlo, _NODE_REACH)
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1e-12)
    lift = (counts + 1e-6) / (chance + 1e-6)
    return np.asarray(np.clip(np.log(lift), -_MOST_NODE_ODDS, _MOST_NODE_ODDS))


def pair_log_odds(
    boxes_cc: npt.ArrayLike,
    boxes_mlo: npt.ArrayLike,
    landmarks_cc: BreastLandmarks,
    landmarks_mlo: BreastLandmarks,
    nodes: FloatArray | None = None,
) -> FloatArray:
    """Log odds that two findings are one lesion, from their geometry.

    Args:
        boxes_cc: (n, 4) xyxy, in the pixels of ``landmarks_cc``.
        boxes_mlo: (m, 4) likewise.
        landmarks_cc: Of the CC view.
        landmarks_mlo: Of the MLO view.
        nodes: From :func:`node_log_odds`, if there is a prior.

    Returns:
        (n, m).
    """
    views = [(_boxes(boxes_cc), landmarks_cc), (_boxes(boxes_mlo), landmarks_mlo)]
    centres = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes, _ in views]
    depths = [relative_depths(points, marks) for points, (_, marks) in zip(centres, views, strict=True)]
    sizes = [_log_sizes(boxes, marks) for boxes, marks in views]
    odds = DEPTH.log_odds(np.subtract.outer(*depths)) + LOG_SIZE.log_odds(np.subtract.outer(*sizes))
    if nodes is not None and odds.size:
        names = ('CC', 'MLO')
        at = [
            nearest_node(points, pseudo_landmarks(marks, name, count))
            for points, (_, marks), name, count in zip(centres, views, names, nodes.shape, strict=True)
        ]
        odds = odds + nodes[np.ix_(*at)]
    return np.asarray(odds)


def mirror_log_odds(
    boxes: npt.ArrayLike, others: npt.ArrayLike, landmarks: BreastLandmarks, other_landmarks: BreastLandmarks
) -> FloatArray:
    """Log odds that findings in the same projection of two breasts lie at mirrored places and are of one size.

    Args:
        boxes: (n, 4) xyxy, in the pixels of ``landmarks``.
        others: (m, 4) of the other breast, likewise.
        landmarks: Of the view.
        other_landmarks: Of the other breast's.

    Returns:
        (n, m).
    """
    views = [(_boxes(boxes), landmarks), (_boxes(others), other_landmarks)]
    offsets = [relative_offsets((at[:, :2] + at[:, 2:]) / 2, marks) for at, marks in views]
    odds = pair_log_odds(boxes, others, landmarks, other_landmarks)
    return np.asarray(odds + OFFSET.log_odds(np.subtract.outer(*offsets)))


def assign_pairs(log_odds: npt.ArrayLike, min_score: float = 0.5) -> list[tuple[int, int, float]]:
    """Pair each finding at most once, so that the sum of the probabilities is greatest (Hungarian method).

    Args:
        log_odds: (n, m).
        min_score: Pairs of a lower probability are none.

    Returns:
        (row, column, probability) of each pair, the surest first.
    """
    scores = 1 / (1 + np.exp(-np.asarray(log_odds, dtype=np.float64)))
    if scores.size == 0:
        return []
    possible = np.where(scores >= min_score, scores, 0.0)
    pairs = [(int(i), int(j), float(scores[i, j])) for i, j in zip(*linear_sum_assignment(-possible), strict=True)]
    return sorted(
        (pair for pair in pairs if pair[2] >= min_score and pair[2] > 0), key=lambda pair: (-pair[2], pair[:2])
    )


def _boxes(boxes: npt.ArrayLike) -> FloatArray:
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def _log_sizes(boxes: FloatArray, landmarks: BreastLandmarks) -> FloatArray:
    """Logarithm of the geometric mean of width and height, as a share of the breast's depth."""
    area = np.clip((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6, None)
    return np.asarray(np.log(area) / 2 - np.log(_safe(_depth(landmarks))))


def _depth(landmarks: BreastLandmarks) -> float:
    """From the nipple to the pectoral line, in pixels."""
    direction = downward(landmarks.pectoral_line)
    return abs(float((landmarks.pectoral_line[0] - landmarks.nipple) @ np.array([-direction[1], direction[0]])))


def _safe(depth: float) -> float:
    """A breast without depth is one of a pixel."""
    return depth if abs(depth) >= 1 else 1.0
