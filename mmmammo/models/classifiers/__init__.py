"""Heads for mmpretrain's ``ImageClassifier``, and classifiers of whole exams."""

from mmmammo.models.classifiers.attention_pooling_head import AttentionPoolingHead
from mmmammo.models.classifiers.flip_average import FlipAverage
from mmmammo.models.classifiers.four_view_classifier import FourViewClassifier
from mmmammo.models.classifiers.four_view_heads import BreastHead, ExamHead
from mmmammo.models.classifiers.mil_head import MILHead
from mmmammo.models.classifiers.multi_task_head import MultiTaskHead
from mmmammo.models.classifiers.patch_head import PatchHead
from mmmammo.models.classifiers.self_distillation_head import SelfDistillationHead
from mmmammo.models.classifiers.single_view_head import SingleViewHead

__all__ = [
    'AttentionPoolingHead',
    'BreastHead',
    'ExamHead',
    'FlipAverage',
    'FourViewClassifier',
    'MILHead',
    'MultiTaskHead',
    'PatchHead',
    'SelfDistillationHead',
    'SingleViewHead',
]
