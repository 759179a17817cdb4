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
from mmmammo.evaluation.functional.bootstrap import (
    Interval,
    bootstrap_ci,
    percentile_interval,
    resampled_counts,
    resampled_rows,
)
from mmmammo.evaluation.functional.box_rows import boxes_by_image, detections_by_image
from mmmammo.evaluation.functional.calibration import (
    BINNINGS,
    ReliabilityCurve,
    brier_score,
    expected_calibration_error,
    reliability_curve,
)
from mmmammo.evaluation.functional.cohort import (
    FOUR_IMAGES,
    N_CONTROLS,
    CohortAUC,
    cohort_aucs,
    four_image_exams,
    reader_exam_scores,
    screening_outcomes,
)
from mmmammo.evaluation.functional.cross_view import CrossViewWeights, cross_view_features
from mmmammo.evaluation.functional.cross_view_fit import CrossViewFit, fit_cross_view
from mmmammo.evaluation.functional.delong import (
    AUCComparison,
    AUCInterval,
    delong_interval,
    delong_test,
    hanley_mcneil_se,
)
from mmmammo.evaluation.functional.denoising import anchor_distances, average_top_distance
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
from mmmammo.evaluation.functional.froc_mixture import mixed_readings, side_by_side
from mmmammo.evaluation.functional.held_out_f1 import FoldF1, HeldOutF1, held_out_f1
from mmmammo.evaluation.functional.hit_rules import HIT_RULES, HitRule, box_iou
from mmmammo.evaluation.functional.inputs import FlatBoxes, flatten_images
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, unique_ids
from mmmammo.evaluation.functional.lesion_matching import LesionMatching, lesion_matching
from mmmammo.evaluation.functional.localisation import (
    MAP_THRESHOLDS,
    LocalisationResult,
    best_iou_per_threshold,
    grey_map,
    localisation_accuracy,
    region_boxes,
)
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
from mmmammo.evaluation.functional.paired import (
    PairedDifference,
    paired_difference,
    paired_result,
    rank_scores,
    swapped_groups,
)
from mmmammo.evaluation.functional.precision_recall import (
    AVG7_IOUS,
    AVG8_IOUS,
    PAPER_AVERAGES,
    ap_reading,
    average_over_ious,
    average_precision,
    average_precision_per_class,
    interpolated_precision,
    paper_averages,
)
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
from mmmammo.evaluation.functional.roi_hits import chance_of_hold, windows_hold
from mmmammo.evaluation.functional.sampling import SCREENING_OUTCOMES, SampledRows, sample_controls, screening_tasks
from mmmammo.evaluation.functional.score_measures import (
    SCORE_LEVELS,
    SCORE_STATISTICS,
    ScoreMeasure,
    read_measure,
)
from mmmammo.evaluation.functional.score_reader import patients_in, score_reader
from mmmammo.evaluation.functional.sensitivity import LEVELS, ImageRecords, at_level, froc_by_level, lesion_units
from mmmammo.evaluation.functional.shift import ShiftResult, ShiftVerdict, score_shift, score_shifts
from mmmammo.evaluation.functional.size_classes import COCO_SIZE_CLASSES, SIZE_CLASSES, average_precision_by_size
from mmmammo.evaluation.functional.split_record import SplitRecord
from mmmammo.evaluation.functional.subgroups import (
    SubgroupRow,
    bands,
    froc_subgroups,
    lesion_diameters_mm,
    subgroup_table,
)
from mmmammo.evaluation.functional.threshold_choice import FROC_THRESHOLD_RULES, THRESHOLD_RULES, lesion_f1

__all__ = [
    'score_reader',
    'patients_in',
    'read_measure',
    'ScoreMeasure',
    'SCORE_STATISTICS',
    'SCORE_LEVELS',
    'AGGREGATION_RULES',
    'AVG7_IOUS',
    'AVG8_IOUS',
    'BINNINGS',
    'COCO_SIZE_CLASSES',
    'DUPLICATE_RULES',
    'FALSE_POSITIVE_IMAGES',
    'FOUR_IMAGES',
    'FROC_THRESHOLD_RULES',
    'HIT_RULES',
    'LEVELS',
    'MAP_THRESHOLDS',
    'MULTILABEL_AVERAGES',
    'MULTILABEL_COLUMNS',
    'N_CONTROLS',
    'PAPER_AVERAGES',
    'RSNA_THRESHOLDS',
    'SCREENING_OUTCOMES',
    'SIZE_CLASSES',
    'THRESHOLD_RULES',
    'AUCComparison',
    'AUCInterval',
    'BestF1',
    'CohortAUC',
    'CrossViewFit',
    'CrossViewWeights',
    'DetectionReport',
    'FROCCurve',
    'FROCResult',
    'FlatBoxes',
    'FoldAUC',
    'FoldF1',
    'GroupScores',
    'HeldOutF1',
    'HitRule',
    'ImageRecords',
    'Interval',
    'IsotonicScaling',
    'LesionMatching',
    'LocalisationResult',
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
    'SubgroupRow',
    'TemperatureScaling',
    'anchor_distances',
    'ap_reading',
    'at_level',
    'auc',
    'auc_by_fold',
    'auprc',
    'average_over_ious',
    'average_precision',
    'average_precision_by_size',
    'average_precision_per_class',
    'average_top_distance',
    'bands',
    'best_binarised_f1',
    'best_iou_per_threshold',
    'binarised_f1',
    'bootstrap_ci',
    'box_iou',
    'boxes_by_image',
    'breast_scores',
    'brier_score',
    'chance_of_hold',
    'choose_froc_operating_point',
    'choose_operating_point',
    'cohort_aucs',
    'count_false_positives_on',
    'count_units',
    'cross_view_features',
    'delong_interval',
    'delong_test',
    'detections_by_image',
    'exam_score',
    'exam_scores',
    'expected_calibration_error',
    'fit_cross_view',
    'fit_isotonic',
    'fit_temperature',
    'flatten_images',
    'flatten_predictions',
    'four_image_exams',
    'froc',
    'froc_area',
    'froc_by_level',
    'froc_curve',
    'froc_interval',
    'froc_recall_at',
    'froc_result',
    'froc_subgroups',
    'froc_threshold_at',
    'grey_map',
    'hanley_mcneil_se',
    'held_out_f1',
    'interpolated_precision',
    'labelled_scores',
    'lesion_diameters_mm',
    'lesion_f1',
    'lesion_matching',
    'lesion_units',
    'load_calibration',
    'localisation_accuracy',
    'log_odds',
    'match_detections',
    'match_images',
    'mixed_readings',
    'multilabel_report',
    'multilabel_report_from_counts',
    'paired_difference',
    'paired_froc',
    'paired_result',
    'paper_averages',
    'partial_auc',
    'percentile_interval',
    'pr_curve',
    'probabilistic_f1',
    'rank_scores',
    'reader_exam_scores',
    'region_boxes',
    'reliability_curve',
    'report_froc_operating_point',
    'report_operating_point',
    'resampled_counts',
    'resampled_rows',
    'roc_curve',
    'sample_controls',
    'score_shift',
    'score_shifts',
    'screening_outcomes',
    'screening_tasks',
    'select_images',
    'select_lesions',
    'sensitivity_at_specificity',
    'side_by_side',
    'specificity_at_sensitivity',
    'subgroup_table',
    'swapped_groups',
    'undefined_reason',
    'unique_ids',
    'weighted_mean',
    'windows_hold',
    'with_no_finding',
]
