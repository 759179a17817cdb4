"""Metrics as pure NumPy functions; neither torch nor mm* is needed.

Each detection metric is three steps, usable one by one: *match* detections to lesions, draw the *curve*, read the
*score* off it.
"""

from mmmammo.evaluation.functional.auc import FoldAUC, auc, auc_by_fold
from mmmammo.evaluation.functional.auprc import PRCurve, auprc, pr_curve
from mmmammo.evaluation.functional.bootstrap import Interval, bootstrap_ci
from mmmammo.evaluation.functional.delong import (
    AUCComparison,
    AUCInterval,
    delong_interval,
    delong_test,
    hanley_mcneil_se,
)
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
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, unique_ids
from mmmammo.evaluation.functional.hit_rules import HIT_RULES, box_iou
from mmmammo.evaluation.functional.matches import Matches
from mmmammo.evaluation.functional.matching import (
    DUPLICATE_RULES,
    Pairs,
    match_detections,
    match_images,
)
from mmmammo.evaluation.functional.precision_recall import average_precision, interpolated_precision
from mmmammo.evaluation.functional.probabilistic_f1 import (
    RSNA_THRESHOLDS,
    BestF1,
    best_binarised_f1,
    binarised_f1,
    probabilistic_f1,
)
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.roc import (
    ROCCurve,
    ROCPoint,
    partial_auc,
    roc_curve,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)

__all__ = [
    'DUPLICATE_RULES',
    'HIT_RULES',
    'RSNA_THRESHOLDS',
    'AUCComparison',
    'AUCInterval',
    'BestF1',
    'FROCCurve',
    'FROCResult',
    'FlatBoxes',
    'FoldAUC',
    'Interval',
    'Matches',
    'PRCurve',
    'Pairs',
    'ROCCurve',
    'ROCPoint',
    'Reading',
    'auc',
    'auc_by_fold',
    'auprc',
    'average_precision',
    'best_binarised_f1',
    'binarised_f1',
    'bootstrap_ci',
    'box_iou',
    'delong_interval',
    'delong_test',
    'flatten_images',
    'froc',
    'froc_area',
    'froc_curve',
    'froc_interval',
    'froc_recall_at',
    'froc_result',
    'froc_threshold_at',
    'hanley_mcneil_se',
    'interpolated_precision',
    'labelled_scores',
    'match_detections',
    'match_images',
    'partial_auc',
    'pr_curve',
    'probabilistic_f1',
    'roc_curve',
    'sensitivity_at_specificity',
    'specificity_at_sensitivity',
    'unique_ids',
]
