"""Models: everything between a batch of views and its losses or detections."""

from mmmammo.models.backbones import GrayCSPNeXt, GrayResNet, GraySwin, TimmBackbone
from mmmammo.models.classifiers import MultiTaskHead, PatchHead, SelfDistillationHead
from mmmammo.models.data_preprocessors import ExamDataPreprocessor
from mmmammo.models.dense_heads import MammoDINOHead
from mmmammo.models.detectors import AGRCNN, MammoDINO, MultiViewMixin, MultiViewRTMDet
from mmmammo.models.lesion_matcher import LesionMatcher
from mmmammo.models.losses import MultiLabelFocalLoss
from mmmammo.models.necks import AnatomyGraphNeck, CrossViewAttentionNeck
from mmmammo.models.wsol import (
    ACoLHead,
    ClassMapHead,
    SPGHead,
    StepwiseInceptionV3,
    StepwiseResNet,
    StepwiseVGG,
)

__all__ = [
    'ACoLHead',
    'AGRCNN',
    'AnatomyGraphNeck',
    'ClassMapHead',
    'CrossViewAttentionNeck',
    'ExamDataPreprocessor',
    'GrayCSPNeXt',
    'GrayResNet',
    'GraySwin',
    'LesionMatcher',
    'MammoDINO',
    'MammoDINOHead',
    'MultiLabelFocalLoss',
    'MultiTaskHead',
    'MultiViewMixin',
    'MultiViewRTMDet',
    'PatchHead',
    'SPGHead',
    'SelfDistillationHead',
    'StepwiseInceptionV3',
    'StepwiseResNet',
    'StepwiseVGG',
    'TimmBackbone',
]
