"""Metrics as pure NumPy functions; neither torch nor mm* is needed.

Each detection metric is three steps, usable one by one: *match* detections to lesions, draw the *curve*, read the
*score* off it.
"""

from mmmammo.evaluation.functional.bootstrap import Interval, bootstrap_ci
from mmmammo.evaluation.functional.froc import (
    FROCCurve,
    FROCResult,
    froc,
    froc_area,
    froc_curve,
    froc_interval,
    froc_recall_at,
    froc_result,
    froc_threshold_at,
)
from mmmammo.evaluation.functional.inputs import FlatBoxes, flatten_images
from mmmammo.evaluation.functional.matching import (
    DUPLICATE_RULES,
    HIT_RULES,
    Matches,
    Pairs,
    box_iou,
    match_detections,
    match_images,
)
from mmmammo.evaluation.functional.precision_recall import average_precision, interpolated_precision

__all__ = [
    'DUPLICATE_RULES',
    'HIT_RULES',
    'FROCCurve',
    'FROCResult',
    'FlatBoxes',
    'Interval',
    'Matches',
    'Pairs',
    'average_precision',
    'bootstrap_ci',
    'box_iou',
    'flatten_images',
    'froc',
    'froc_area',
    'froc_curve',
    'froc_interval',
    'froc_recall_at',
    'froc_result',
    'froc_threshold_at',
    'interpolated_precision',
    'match_detections',
    'match_images',
]
