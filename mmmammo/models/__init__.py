"""Models: everything between a batch of views and its losses or detections."""

from mmmammo.models.backbones import GrayResNet
from mmmammo.models.data_preprocessors import ExamDataPreprocessor
from mmmammo.models.dense_heads import MammoDINOHead
from mmmammo.models.detectors import AGRCNN, MammoDINO, MultiViewMixin
from mmmammo.models.necks import AnatomyGraphNeck

__all__ = [
    'AGRCNN',
    'AnatomyGraphNeck',
    'ExamDataPreprocessor',
    'GrayResNet',
    'MammoDINO',
    'MammoDINOHead',
    'MultiViewMixin',
]
