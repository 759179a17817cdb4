"""Heads for mmpretrain's ``ImageClassifier``."""

from mmmammo.models.classifiers.multi_task_head import MultiTaskHead
from mmmammo.models.classifiers.patch_head import PatchHead
from mmmammo.models.classifiers.self_distillation_head import SelfDistillationHead

__all__ = ['MultiTaskHead', 'PatchHead', 'SelfDistillationHead']
