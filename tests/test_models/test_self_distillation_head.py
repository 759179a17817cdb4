"""Classifiers behind hooks into the backbone."""

import math

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn
from torch.nn import functional as F

from mmmammo.models import SelfDistillationHead
from mmmammo.structures import MammoError

SAMPLES = [DataSample().set_gt_score(torch.tensor([label])) for label in (1.0, 0.0, 0.0)]


def features():
    """Of three strides, each made by its own stage from the one before."""
    torch.manual_seed(0)
    stages = nn.ModuleList(
        nn.Conv2d(first, then, 3, stride=2, padding=1) for first, then in ((1, 8), (8, 16), (16, 12))
    )
    maps = [torch.randn(3, 1, 32, 32)]
    for stage in stages:
        maps.append(stage(maps[-1]))
    return stages, tuple(maps[1:])


def head(**options):
    torch.manual_seed(1)
    return SelfDistillationHead(in_channels=(8, 16, 12), **options)


def test_without_knowledge_the_loss_is_that_of_three_guesses():
    built = head()
    for module in built.modules():
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    losses = built.loss(features()[1], SAMPLES)
    assert set(losses) == {'loss_cls', 'loss_hook0', 'loss_hook1'}
    assert sum(losses.values()).item() == pytest.approx(3 * math.log(2))


@pytest.mark.parametrize(('name', 'reached'), [('loss_hook0', 1), ('loss_hook1', 2), ('loss_cls', 3)])
def test_a_loss_teaches_the_stages_up_to_its_hook(name, reached):
    stages, maps = features()
    head().loss(maps, SAMPLES)[name].backward()
    assert [stage.weight.grad is not None for stage in stages] == [number < reached for number in range(3)]


def test_the_main_classifier_sees_mean_and_maximum():
    built, maps = head().eval(), features()[1]
    linear, last = built.main[1], maps[-1]
    pooled = torch.cat([F.adaptive_avg_pool2d(last, 1), F.adaptive_max_pool2d(last, 1)], dim=1).flatten(1)
    torch.testing.assert_close(built(maps), pooled @ linear.weight.T + linear.bias)


def test_only_the_main_classifier_predicts():
    built, maps = head().eval(), features()[1]
    with torch.no_grad():
        before = torch.stack([s.pred_score for s in built.predict(maps)])
        for hook in built.hooks:
            hook[-1].weight.fill_(7.0)
        after = torch.stack([s.pred_score for s in built.predict(maps)])
        broken = built.predict((maps[0] * float('nan'), maps[1], maps[2]))
    torch.testing.assert_close(before, built(maps).sigmoid())
    assert torch.equal(before, after) and torch.equal(before, torch.stack([s.pred_score for s in broken]))


def test_linear_layers_begin_near_zero():
    built = head()
    built.init_weights()
    layers = [module for module in built.modules() if isinstance(module, nn.Linear)]
    assert len(layers) == 3 and all((layer.bias == 0).all() and layer.weight.std() < 0.02 for layer in layers)


def test_a_bottleneck_is_that_of_a_resnet_with_mish():
    hook = SelfDistillationHead().hooks[0][0].eval()
    assert sum(parameter.numel() for parameter in hook.parameters()) == 4544
    x = torch.randn(1, 64, 5, 5)
    y = F.mish(hook.norm1(F.conv2d(x, hook.conv1.weight)))
    y = F.mish(hook.norm2(F.conv2d(y, hook.conv2.weight, padding=1)))
    torch.testing.assert_close(hook(x), F.mish(x + hook.norm3(F.conv2d(y, hook.conv3.weight))))


@pytest.mark.parametrize('channels', [(8,), (6, 12)])
def test_channels_that_cannot_be_are_refused(channels):
    with pytest.raises(MammoError, match=r'SelfDistillationHead: in_channels'):
        SelfDistillationHead(in_channels=channels)
