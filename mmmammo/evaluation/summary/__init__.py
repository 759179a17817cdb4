"""What a run is reported as: all its numbers with intervals, their document, and comparisons. No torch."""

from mmmammo.evaluation.summary.calibrated import (
    CALIBRATION_METHODS,
    CalibrationReport,
    calibrated,
    fit_calibration,
    report_calibration,
)
from mmmammo.evaluation.summary.comparison import (
    Comparison,
    Difference,
    compare_detections,
    compare_scores,
    on_same_images,
    on_same_rows,
)
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.detections import DetectionSummary, summarise_detections
from mmmammo.evaluation.summary.document import (
    comparison_document,
    detection_document,
    score_document,
    write_document,
)
from mmmammo.evaluation.summary.frozen import (
    FrozenReport,
    choose_for_detections,
    choose_for_scores,
    report_detections,
    report_scores,
)
from mmmammo.evaluation.summary.numbers import Number
from mmmammo.evaluation.summary.score_levels import Aggregation, aggregated
from mmmammo.evaluation.summary.score_subgroups import with_subgroups
from mmmammo.evaluation.summary.scores import ScoreSettings, ScoreSummary, measures_of, summarise_scores

__all__ = [
    'CALIBRATION_METHODS',
    'Aggregation',
    'CalibrationReport',
    'Comparison',
    'DetectionSettings',
    'DetectionSummary',
    'Difference',
    'FrozenReport',
    'Number',
    'ScoreSettings',
    'ScoreSummary',
    'aggregated',
    'calibrated',
    'choose_for_detections',
    'choose_for_scores',
    'compare_detections',
    'compare_scores',
    'comparison_document',
    'detection_document',
    'fit_calibration',
    'measures_of',
    'on_same_images',
    'on_same_rows',
    'report_calibration',
    'report_detections',
    'report_scores',
    'score_document',
    'summarise_detections',
    'summarise_scores',
    'with_subgroups',
    'write_document',
]
