"""Backbones."""

from mmmammo.models.backbones.compact_efficientnet_v2 import CompactEfficientNetV2
from mmmammo.models.backbones.gray_cspnext import GrayCSPNeXt
from mmmammo.models.backbones.gray_resnet import GrayResNet
from mmmammo.models.backbones.gray_stem import adapt_rgb_stem
from mmmammo.models.backbones.gray_swin import GraySwin
from mmmammo.models.backbones.nyu_resnet import NYUResNet
from mmmammo.models.backbones.same_padding_densenet import SamePaddingDenseNet
from mmmammo.models.backbones.timm_backbone import TimmBackbone

__all__ = [
    'CompactEfficientNetV2',
    'GrayCSPNeXt',
    'GrayResNet',
    'GraySwin',
    'NYUResNet',
    'SamePaddingDenseNet',
    'TimmBackbone',
    'adapt_rgb_stem',
]
