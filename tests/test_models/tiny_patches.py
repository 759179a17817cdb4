"""Patch classifiers for tests: small ones, and the real backbones in double precision."""

import torch
from mmengine.registry import init_default_scope
from torch import nn
from torch.nn import functional as F

from mmmammo.registry import MODELS

BACKBONES = {
    'resnet50': (dict(type='mmpretrain.ResNet', depth=50), 2048),
    'thin_resnet50': (dict(type='mmpretrain.ResNet', depth=50, base_channels=4, stem_channels=4), 128),
    'thin_mobilenetv2': (dict(type='mmpretrain.MobileNetV2', widen_factor=0.25), 1280),
    'thin_vgg19': (dict(type='mmpretrain.VGG', depth=19), 32),
    'resnet18': (dict(type='mmpretrain.ResNet', depth=18, base_channels=8, stem_channels=8), 64),
    'densenet121': (dict(type='mmpretrain.DenseNet', arch='121'), 1024),
    'vgg19': (dict(type='mmpretrain.VGG', depth=19), 512),
    'mobilenetv2': (dict(type='mmpretrain.MobileNetV2'), 1280),
    'mobilenetv3': (dict(type='mmpretrain.MobileNetV3', arch='large'), 960),
    'efficientnetv2_s': (dict(type='mmpretrain.EfficientNetV2', arch='s'), 1280),
    'resnet101': (dict(type='mmpretrain.ResNet', depth=101), 2048),
    'vgg16': (dict(type='mmpretrain.VGG', depth=16), 512),
    'efficientnet_b4': (dict(type='mmpretrain.EfficientNet', arch='b4'), 1792),
    'swin_t': (dict(type='mmpretrain.SwinTransformer', arch='tiny'), 768),
}


def build_backbone(name):
    torch.manual_seed(0)
    init_default_scope('mmdet')
    return MODELS.build(dict(BACKBONES[name][0]))


def build_classifier(name='resnet18', kind='mmpretrain.ImageClassifier', num_classes=3, **settings):
    """With random weights whose scores vary; ``settings`` of the head, or of the detector by their names."""
    torch.manual_seed(0)
    init_default_scope('mmdet')
    backbone, channels = BACKBONES[name]
    own = {
        key: settings.pop(key) for key in ('sliding', 'boxes', 'num_findings', 'data_preprocessor') if key in settings
    }
    head = dict(type='mmmammo.PatchHead', in_channels=channels, num_classes=num_classes, hidden_channels=16, **settings)
    own.setdefault('data_preprocessor', dict(type='mmpretrain.ClsDataPreprocessor'))
    model = MODELS.build(dict(type=kind, backbone=dict(backbone), head=head, **own))
    if name == 'thin_vgg19':
        _thin(model.backbone)
    for module in model.backbone.modules():
        if isinstance(module, nn.Conv2d):  # else nothing of the image is left after so many layers
            nn.init.kaiming_normal_(module.weight)
    model.eval()
    return model


def _thin(vgg, times=16):
    """The same graph with fewer channels, which mmpretrain's VGG has no setting for."""
    for module in vgg.features:
        if hasattr(module, 'conv'):
            old = module.conv
            channels = 3 if old.in_channels == 3 else old.in_channels // times
            module.conv = nn.Conv2d(channels, old.out_channels // times, 3, padding=1)


class TapConv(nn.Conv2d):
    """A depthwise convolution as a sum over its taps: PyTorch's own in double precision takes minutes."""

    def forward(self, x):
        (top, left), (step, _), (height, width) = self.padding, self.stride, self.kernel_size
        padded = F.pad(x, (left, left, top, top))
        rows, columns = ((size - k) // step + 1 for size, k in zip(padded.shape[2:], (height, width), strict=True))
        taps = (
            padded[..., i : i + rows * step : step, j : j + columns * step : step][..., :rows, :columns]
            * self.weight[:, 0, i, j, None, None]
            for i in range(height)
            for j in range(width)
        )
        return sum(taps)


def in_double(model):
    """The model in double precision."""
    for module in model.modules():
        if type(module) is nn.Conv2d and module.groups > 1:
            module.__class__ = TapConv
    return model.double()
