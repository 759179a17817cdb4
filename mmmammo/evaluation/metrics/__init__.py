"""Thin MMEngine shells over :mod:`mmmammo.evaluation.functional`."""

from mmmammo.evaluation.metrics.ap_metric import APMetric
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric
from mmmammo.evaluation.metrics.froc_metric import FROCMetric
from mmmammo.evaluation.metrics.prediction_dump import PredictionDump

__all__ = ['APMetric', 'DetectionMetric', 'FROCMetric', 'PredictionDump']
