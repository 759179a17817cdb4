"""Backbones."""

from mmmammo.models.backbones.gray_cspnext import GrayCSPNeXt
from mmmammo.models.backbones.gray_resnet import GrayResNet
from mmmammo.models.backbones.gray_stem import adapt_rgb_stem
from mmmammo.models.backbones.gray_swin import GraySwin

__all__ = ['GrayCSPNeXt', 'GrayResNet', 'GraySwin', 'adapt_rgb_stem']
