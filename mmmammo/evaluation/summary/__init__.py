"""What a run is reported as: all its numbers with intervals, their document, and comparisons. No torch."""

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
from mmmammo.evaluation.summary.score_levels import Aggregation
from mmmammo.evaluation.summary.scores import ScoreSettings, ScoreSummary, summarise_scores

__all__ = [
    'Aggregation',
    'Comparison',
    'DetectionSettings',
    'DetectionSummary',
    'Difference',
    'FrozenReport',
    'Number',
    'ScoreSettings',
    'ScoreSummary',
    'choose_for_detections',
    'choose_for_scores',
    'compare_detections',
    'compare_scores',
    'comparison_document',
    'detection_document',
    'on_same_images',
    'on_same_rows',
    'report_detections',
    'report_scores',
    'score_document',
    'summarise_detections',
    'summarise_scores',
    'write_document',
]
