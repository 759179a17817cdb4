"""Contour, nipple and pectoral line, the nodes built on them, and what corresponds to what between two views."""

from mmmammo.anatomy.contour import curvature
from mmmammo.anatomy.correspondence import (
    GeometricPrior,
    cooccurrence,
    geometric_prior,
    nearest_node,
    spread_counts,
)
from mmmammo.anatomy.cross_view import cross_view_evidence, rescored
from mmmammo.anatomy.errors import LandmarkError
from mmmammo.anatomy.landmarks import detect_landmarks, landmarks_of
from mmmammo.anatomy.lesion_matching import (
    assign_pairs,
    mirror_log_odds,
    node_log_odds,
    pair_log_odds,
    relative_depths,
    relative_offsets,
)
from mmmammo.anatomy.manual import PARTS, apply_manual, load_manual_landmarks
from mmmammo.anatomy.pseudo_landmarks import CORNER_MODES, check_corner_mode, node_layout, pseudo_landmarks

__all__ = [
    'PARTS',
    'CORNER_MODES',
    'GeometricPrior',
    'LandmarkError',
    'apply_manual',
    'assign_pairs',
    'check_corner_mode',
    'cooccurrence',
    'cross_view_evidence',
    'curvature',
    'detect_landmarks',
    'geometric_prior',
    'landmarks_of',
    'load_manual_landmarks',
    'mirror_log_odds',
    'nearest_node',
    'node_layout',
    'node_log_odds',
    'pair_log_odds',
    'pseudo_landmarks',
    'relative_depths',
    'relative_offsets',
    'rescored',
    'spread_counts',
]
