"""Backbones."""

from mmmammo.models.backbones.gray_resnet import GrayResNet

__all__ = ['GrayResNet']
