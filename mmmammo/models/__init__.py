"""Models: everything between a batch of views and its losses or detections."""

from mmmammo.models.attention import AttentionClassifier, AttentionPreprocessor, RiskHead
from mmmammo.models.backbones import (
    GrayCSPNeXt,
    GrayResNet,
    GraySwin,
    NYUResNet,
    SamePaddingDenseNet,
    TimmBackbone,
)
from mmmammo.models.classifiers import (
    AttentionPoolingHead,
    BreastHead,
    ExamHead,
    FlipAverage,
    FourViewClassifier,
    MILHead,
    MultiTaskHead,
    PatchHead,
    SelfDistillationHead,
    SingleViewHead,
)
from mmmammo.models.data_preprocessors import ExamDataPreprocessor
from mmmammo.models.dense_heads import MammoDINOHead
from mmmammo.models.detectors import AGRCNN, MammoDINO, MultiViewMixin, MultiViewRTMDet
from mmmammo.models.lesion_matcher import LesionMatcher
from mmmammo.models.losses import MultiLabelFocalLoss
from mmmammo.models.necks import AnatomyGraphNeck, CrossViewAttentionNeck, EvidenceGraphNeck
from mmmammo.models.sliding import SlidingPatchDetector
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
    'AttentionClassifier',
    'AttentionPoolingHead',
    'AttentionPreprocessor',
    'BreastHead',
    'ClassMapHead',
    'CrossViewAttentionNeck',
    'EvidenceGraphNeck',
    'ExamDataPreprocessor',
    'ExamHead',
    'FlipAverage',
    'FourViewClassifier',
    'GrayCSPNeXt',
    'GrayResNet',
    'GraySwin',
    'LesionMatcher',
    'MILHead',
    'MammoDINO',
    'MammoDINOHead',
    'MultiLabelFocalLoss',
    'MultiTaskHead',
    'MultiViewMixin',
    'MultiViewRTMDet',
    'NYUResNet',
    'PatchHead',
    'RiskHead',
    'SPGHead',
    'SamePaddingDenseNet',
    'SelfDistillationHead',
    'SingleViewHead',
    'SlidingPatchDetector',
    'StepwiseInceptionV3',
    'StepwiseResNet',
    'StepwiseVGG',
    'TimmBackbone',
]
