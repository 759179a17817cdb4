"""Weakly supervised localisers: classifiers that yield a map of where the class is.

CAM is :class:`ClassMapHead` on a stepwise backbone. HaS adds the transform ``mmmammo.HideAndSeek``, ADL the backbone's
``attention_dropout``; ACoL and SPG are heads of their own.
"""

from mmmammo.models.wsol.acol_head import ACoLHead
from mmmammo.models.wsol.attention_dropout import AttentionDropout
from mmmammo.models.wsol.class_map_head import ClassMapHead
from mmmammo.models.wsol.class_maps import MapBranch
from mmmammo.models.wsol.spg_head import SPGHead
from mmmammo.models.wsol.stepwise_backbones import StepwiseInceptionV3, StepwiseResNet, StepwiseVGG

__all__ = [
    'ACoLHead',
    'AttentionDropout',
    'ClassMapHead',
    'MapBranch',
    'SPGHead',
    'StepwiseInceptionV3',
    'StepwiseResNet',
    'StepwiseVGG',
]
