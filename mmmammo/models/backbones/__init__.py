"""Backbones."""

from mmmammo.models.backbones.gray_cspnext import GrayCSPNeXt
from mmmammo.models.backbones.gray_resnet import GrayResNet
from mmmammo.models.backbones.gray_stem import adapt_rgb_stem
from mmmammo.models.backbones.gray_swin import GraySwin
from mmmammo.models.backbones.timm_backbone import TimmBackbone

__all__ = ['GrayCSPNeXt', 'GrayResNet', 'GraySwin', 'TimmBackbone', 'adapt_rgb_stem']
