"""Metrics as pure NumPy functions; neither torch nor mm* is needed.

Each detection metric is three steps, usable one by one: *match* detections to lesions, draw the *curve*, read the
*score* off it.
"""

from mmmammo.evaluation.functional.aggregation import (
    AGGREGATION_RULES,
    GroupScores,
    breast_scores,
    exam_score,
    exam_scores,
)
from mmmammo.evaluation.functional.auc import FoldAUC, auc, auc_by_fold
from mmmammo.evaluation.functional.auprc import PRCurve, auprc, pr_curve
from mmmammo.evaluation.functional.bootstrap import Interval, bootstrap_ci
from mmmammo.evaluation.functional.calibration import (
    BINNINGS,
    ReliabilityCurve,
    brier_score,
    expected_calibration_error,
    reliability_curve,
)
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
    froc_recall_at,
    froc_result,
    froc_threshold_at,
    undefined_reason,
)
from mmmammo.evaluation.functional.froc_intervals import froc_interval, paired_froc
from mmmammo.evaluation.functional.hit_rules import HIT_RULES, HitRule, box_iou
from mmmammo.evaluation.functional.inputs import FlatBoxes, flatten_images
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, unique_ids
from mmmammo.evaluation.functional.matches import (
    FALSE_POSITIVE_IMAGES,
    Matches,
    count_false_positives_on,
    count_units,
    select_images,
    select_lesions,
)
from mmmammo.evaluation.functional.matching import (
    DUPLICATE_RULES,
    Pairs,
    flatten_predictions,
    match_detections,
    match_images,
)
from mmmammo.evaluation.functional.multilabel import (
    MULTILABEL_AVERAGES,
    MULTILABEL_COLUMNS,
    MultilabelReport,
    MultilabelRow,
    multilabel_report,
    multilabel_report_from_counts,
    weighted_mean,
    with_no_finding,
)
from mmmammo.evaluation.functional.operating_point import (
    DetectionReport,
    OperatingPoint,
    OperatingReport,
    choose_froc_operating_point,
    choose_operating_point,
    report_froc_operating_point,
    report_operating_point,
)
from mmmammo.evaluation.functional.paired import PairedDifference, paired_difference, rank_scores
from mmmammo.evaluation.functional.precision_recall import average_precision, interpolated_precision
from mmmammo.evaluation.functional.probabilistic_f1 import (
    RSNA_THRESHOLDS,
    BestF1,
    best_binarised_f1,
    binarised_f1,
    probabilistic_f1,
)
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.recalibration import (
    IsotonicScaling,
    TemperatureScaling,
    fit_isotonic,
    fit_temperature,
    load_calibration,
    log_odds,
)
from mmmammo.evaluation.functional.roc import (
    ROCCurve,
    ROCPoint,
    partial_auc,
    roc_curve,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)
from mmmammo.evaluation.functional.sampling import SCREENING_OUTCOMES, SampledRows, sample_controls, screening_tasks
from mmmammo.evaluation.functional.shift import ShiftResult, ShiftVerdict, score_shift, score_shifts
from mmmammo.evaluation.functional.split_record import SplitRecord
from mmmammo.evaluation.functional.threshold_choice import FROC_THRESHOLD_RULES, THRESHOLD_RULES, lesion_f1

__all__ = [
    'AGGREGATION_RULES',
    'BINNINGS',
    'DUPLICATE_RULES',
    'FALSE_POSITIVE_IMAGES',
    'FROC_THRESHOLD_RULES',
    'HIT_RULES',
    'MULTILABEL_AVERAGES',
    'MULTILABEL_COLUMNS',
    'RSNA_THRESHOLDS',
    'SCREENING_OUTCOMES',
    'THRESHOLD_RULES',
    'AUCComparison',
    'AUCInterval',
    'BestF1',
    'DetectionReport',
    'FROCCurve',
    'FROCResult',
    'FlatBoxes',
    'FoldAUC',
    'GroupScores',
    'HitRule',
    'Interval',
    'IsotonicScaling',
    'Matches',
    'MultilabelReport',
    'MultilabelRow',
    'OperatingPoint',
    'OperatingReport',
    'PRCurve',
    'PairedDifference',
    'Pairs',
    'ROCCurve',
    'ROCPoint',
    'Reading',
    'ReliabilityCurve',
    'SampledRows',
    'ShiftResult',
    'ShiftVerdict',
    'SplitRecord',
    'TemperatureScaling',
    'auc',
    'auc_by_fold',
    'auprc',
    'average_precision',
    'best_binarised_f1',
    'binarised_f1',
    'bootstrap_ci',
    'box_iou',
    'breast_scores',
    'brier_score',
    'choose_froc_operating_point',
    'choose_operating_point',
    'count_false_positives_on',
    'count_units',
    'delong_interval',
    'delong_test',
    'exam_score',
    'exam_scores',
    'expected_calibration_error',
    'fit_isotonic',
    'fit_temperature',
    'flatten_images',
    'flatten_predictions',
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
    'lesion_f1',
    'load_calibration',
    'log_odds',
    'match_detections',
    'match_images',
    'multilabel_report',
    'multilabel_report_from_counts',
    'paired_difference',
    'paired_froc',
    'partial_auc',
    'pr_curve',
    'probabilistic_f1',
    'rank_scores',
    'reliability_curve',
    'report_froc_operating_point',
    'report_operating_point',
    'roc_curve',
    'sample_controls',
    'score_shift',
    'score_shifts',
    'screening_tasks',
    'select_images',
    'select_lesions',
    'sensitivity_at_specificity',
    'specificity_at_sensitivity',
    'undefined_reason',
    'unique_ids',
    'weighted_mean',
    'with_no_finding',
]
