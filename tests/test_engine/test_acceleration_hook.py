"""Channels innermost and bfloat16 by config: the same model but for rounding, weights in float32."""

import copy

import pytest
import torch
from mmcv.ops import RoIAlign
from mmengine.model import BaseModel
from torch import nn

from mmmammo.engine.hooks import AccelerationHook
from mmmammo.engine.precision import use_bfloat16
from mmmammo.models import ExamDataPreprocessor
from mmmammo.registry import HOOKS


class Levels(nn.Module):
    """Two feature levels, as a backbone returns them."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, padding=1)

    def forward(self, x):
        x = self.conv(x if isinstance(x, torch.Tensor) else x[0])
        self.dtype = x.dtype
        return x, x[..., ::2, ::2]


class Detector(BaseModel):
    def __init__(self):
        super().__init__(data_preprocessor=ExamDataPreprocessor())
        torch.manual_seed(0)
        self.backbone, self.neck, self.head = Levels(1), Levels(8), nn.Conv2d(8, 1, 1)

    def forward(self, inputs, *_, **__):
        return self.head(self.neck(self.backbone(inputs))[0])


class Run:
    def __init__(self, model):
        self.model = model


@pytest.fixture
def image():
    return torch.rand(2, 1, 16, 12, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(('setting', 'tolerance'), [({'channels_last': True}, 1e-6), ({'bfloat16': True}, 2e-2)])
def test_outputs_and_gradients_are_those_of_the_model_but_for_rounding(image, setting, tolerance):
    plain, fast = Detector(), Detector()
    AccelerationHook(**{'channels_last': False, **setting}).before_run(Run(fast))
    outputs = [model(image) for model in (plain, fast)]
    torch.testing.assert_close(*outputs, rtol=tolerance, atol=tolerance)
    for output in outputs:
        output.square().sum().backward()
    for a, b in zip(plain.parameters(), fast.parameters(), strict=True):
        assert b.dtype == b.grad.dtype == torch.float32
        torch.testing.assert_close(a.grad, b.grad, rtol=10 * tolerance, atol=10 * tolerance * float(a.grad.abs().max()))


def test_roi_heads_see_the_features_where_they_are():
    """mmcv's RoIAlign takes the memory of a channels-last level for that of a channels-first one."""
    features = torch.randn(2, 8, 16, 12, generator=torch.Generator().manual_seed(0))
    rois = torch.tensor([[0.0, 8, 8, 60, 90], [1, 30, 20, 80, 100]])
    found = []
    for channels_last in (False, True):
        model = Detector()
        model.roi_layer = RoIAlign(7, 1 / 8, 2)
        AccelerationHook(channels_last=channels_last).before_run(Run(model))
        layout = torch.channels_last if channels_last else torch.contiguous_format
        level = features.clone(memory_format=layout).requires_grad_()
        pooled = model.roi_layer(level, rois)
        (gradient,) = torch.autograd.grad(pooled.square().sum(), level)
        found.append((pooled.detach(), gradient))
    for plain, fast in zip(*found, strict=True):
        torch.testing.assert_close(plain, fast)


def test_backbone_and_neck_compute_in_bfloat16_and_the_head_does_not(image):
    model = use_bfloat16(Detector())
    assert model(image).dtype == torch.float32
    assert model.backbone.dtype == model.neck.dtype == torch.bfloat16


def test_images_and_weights_are_laid_out_channels_last(image):
    model = Detector()
    AccelerationHook(channels_last=True).before_run(Run(model))
    batch = model.data_preprocessor({'inputs': list(image), 'data_samples': None})['inputs']
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert model.neck.conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_validation_within_training_changes_nothing_again(image):
    model, hook = Detector(), AccelerationHook(bfloat16=True)
    hook.before_run(Run(model))
    once = model.backbone.forward
    hook.before_run(Run(model))
    assert model.backbone.forward is once


def test_checkpoints_are_those_of_a_run_without():
    plain, fast = Detector(), Detector()
    AccelerationHook(bfloat16=True).before_run(Run(fast))
    loaded = plain.load_state_dict(copy.deepcopy(fast.state_dict()))
    assert not loaded.missing_keys and not loaded.unexpected_keys
    assert all(torch.equal(value, fast.state_dict()[key]) for key, value in plain.state_dict().items())


def test_a_config_names_it():
    assert HOOKS.build({'type': 'mmmammo.AccelerationHook', 'bfloat16': True}).bfloat16
