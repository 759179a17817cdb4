"""Thin MMEngine shells over :mod:`mmmammo.evaluation.functional`."""

from mmmammo.evaluation.metrics.ap_metric import APMetric
from mmmammo.evaluation.metrics.atd_metric import ATDMetric
from mmmammo.evaluation.metrics.auc_metric import AUCMetric
from mmmammo.evaluation.metrics.classification_metric import ClassificationMetric, ScoreMetric
from mmmammo.evaluation.metrics.cohort_table_metric import CohortTableMetric
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric
from mmmammo.evaluation.metrics.exam_auc_metric import ExamAUCMetric
from mmmammo.evaluation.metrics.finding_group_metric import FindingGroupMetric
from mmmammo.evaluation.metrics.focal_loss_metric import FocalLossMetric
from mmmammo.evaluation.metrics.froc_metric import FROCMetric
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric
from mmmammo.evaluation.metrics.heatmap_dump import HeatmapDump
from mmmammo.evaluation.metrics.lesion_matching_metric import LesionMatchingMetric
from mmmammo.evaluation.metrics.localisation_metric import LocalisationMetric
from mmmammo.evaluation.metrics.multi_label_metric import MultiLabelMetric
from mmmammo.evaluation.metrics.prediction_dump import PredictionDump
from mmmammo.evaluation.metrics.probabilistic_f1_metric import ProbabilisticF1Metric
from mmmammo.evaluation.metrics.roi_hit_metric import ROIHitMetric
from mmmammo.evaluation.metrics.score_dump import ScoreDump

__all__ = [
    'APMetric',
    'ATDMetric',
    'AUCMetric',
    'ClassificationMetric',
    'CohortTableMetric',
    'DetectionMetric',
    'ExamAUCMetric',
    'FROCMetric',
    'FindingGroupMetric',
    'FocalLossMetric',
    'GatheredMetric',
    'HeatmapDump',
    'LesionMatchingMetric',
    'LocalisationMetric',
    'MultiLabelMetric',
    'PredictionDump',
    'ProbabilisticF1Metric',
    'ROIHitMetric',
    'ScoreDump',
    'ScoreMetric',
]
