"""mmpretrain's backbones step by step."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.backbones import VGG, ResNet
from torch import nn
from torchvision.models.inception import InceptionA, InceptionC

from mmmammo.models.wsol import StepwiseInceptionV3, StepwiseResNet, StepwiseVGG
from mmmammo.structures import MammoError

RESNET = dict(depth=18, stem_channels=8, base_channels=8)
KINDS = {
    'resnet': (StepwiseResNet, RESNET, 64),
    'vgg': (StepwiseVGG, dict(depth=11), 512),
    'inception': (StepwiseInceptionV3, {}, 768),
}


def build(kind, **kwargs):
    torch.manual_seed(0)
    cls, arguments, _ = KINDS[kind]
    model = cls(**arguments, **kwargs)
    model.eval()  # returns nothing in mmpretrain's backbones
    return model


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('large', 'cells'), [(False, 14), (True, 28)])
def test_maps_have_14_or_28_cells(kind, large, cells):
    model = build(kind, large_feature_map=large).to('meta')
    (features,) = model(torch.empty(1, 3, 224, 224, device='meta'))
    assert features.shape == (1, KINDS[kind][2], cells, cells)


@pytest.mark.parametrize('kind', KINDS)
def test_an_input_below_one_cell_is_refused(kind):
    model = build(kind, large_feature_map=True)
    with pytest.raises(MammoError, match=r'\(15, 40\).*at least 16'):
        model(torch.zeros(1, 3, 15, 40))
    assert min(model(torch.zeros(1, 3, 16, 16))[0].shape) >= 1


@pytest.mark.parametrize(
    ('ours', 'theirs'),
    [
        (StepwiseResNet(**RESNET), ResNet(strides=(1, 2, 2, 1), **RESNET)),
        (StepwiseVGG(depth=11), VGG(depth=11, with_last_pool=False)),
    ],
    ids=['resnet', 'vgg'],
)
def test_steps_are_the_parent_s_forward_with_its_parameter_names(ours, theirs):
    theirs.load_state_dict(ours.state_dict(), strict=True)
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    for model in (ours, theirs):
        model.eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(images)[-1], theirs(images)[-1], rtol=0, atol=0)


def test_inception_keeps_the_names_of_its_checkpoint_and_drops_the_unused():
    names = {name.split('.')[0] for name in build('inception').state_dict()}
    assert {'Conv2d_1a_3x3', 'Mixed_5b', 'Mixed_6e'} <= names and not names & {'Mixed_7a', 'fc', 'AuxLogits'}
    order = [name for name, _ in build('inception').steps()]
    assert order.index('Mixed_5d') + 1 == order.index('pool3') == order.index('Mixed_6a') - 1


INCEPTION_BLOCKS = {
    'Mixed_5b': (InceptionA, 192, 32),
    'Mixed_5c': (InceptionA, 256, 64),
    'Mixed_5d': (InceptionA, 288, 64),
    'Mixed_6b': (InceptionC, 768, 128),
    'Mixed_6c': (InceptionC, 768, 160),
    'Mixed_6d': (InceptionC, 768, 160),
    'Mixed_6e': (InceptionC, 768, 192),
}


def literal_inception(state, images, large):
    """The benchmark's network: its changed strides and paddings written out, the other blocks torchvision's."""

    def conv(x, name, stride=1, padding=0):
        x = F.conv2d(x, state[f'{name}.conv.weight'], stride=stride, padding=padding)
        mean, var, weight, bias = (
            state[f'{name}.bn.{key}'] for key in ('running_mean', 'running_var', 'weight', 'bias')
        )
        return F.relu(
            (x - mean[:, None, None]) / torch.sqrt(var + 0.001)[:, None, None] * weight[:, None, None]
            + bias[:, None, None]
        )

    def block(x, name):
        kind, *channels = INCEPTION_BLOCKS[name]
        module = kind(*channels).eval()
        module.load_state_dict({k[len(name) + 1 :]: v for k, v in state.items() if k.startswith(f'{name}.')})
        return module(x)

    x = conv(conv(conv(images, 'Conv2d_1a_3x3', 2, 1), 'Conv2d_2a_3x3'), 'Conv2d_2b_3x3', padding=1)
    x = F.max_pool2d(x, 3, 2, padding=1, ceil_mode=True)
    x = conv(conv(x, 'Conv2d_3b_1x1'), 'Conv2d_4a_3x3')
    x = F.max_pool2d(x, 3, 2, padding=1, ceil_mode=True)
    x = block(block(block(x, 'Mixed_5b'), 'Mixed_5c'), 'Mixed_5d')
    x = x if large else F.max_pool2d(x, 3, 2, ceil_mode=True)
    double = conv(conv(x, 'Mixed_6a.branch3x3dbl_1'), 'Mixed_6a.branch3x3dbl_2', padding=1)
    double = conv(double, 'Mixed_6a.branch3x3dbl_3', padding=1)
    x = torch.cat([conv(x, 'Mixed_6a.branch3x3', padding=1), double, F.max_pool2d(x, 3, 1, padding=1)], dim=1)
    return block(block(block(block(x, 'Mixed_6b'), 'Mixed_6c'), 'Mixed_6d'), 'Mixed_6e')


@pytest.mark.parametrize('large', [False, True])
@pytest.mark.parametrize('size', [(64, 80), (51, 47)], ids=['even', 'odd'])
def test_inception_equals_the_benchmark_s_written_out(large, size):
    ours = build('inception', large_feature_map=large)
    generator = torch.Generator().manual_seed(1)
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    images = torch.randn(2, 3, *size, generator=generator)
    with torch.no_grad():
        (found,), expected = ours(images), literal_inception(ours.state_dict(), images, large)
    assert found.shape == expected.shape and (found > 0).any() and found.std() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_outputs_are_those_of_the_steps_asked_for():
    model = build('resnet', out_steps=('layer3.0', 'layer3.1', 'layer4.1'))
    with torch.no_grad():
        early, late, last = model(torch.rand(1, 3, 64, 64))
        torch.testing.assert_close(model.layer3[1](early), late)
    assert (early.shape[1], late.shape[1], last.shape[1]) == (32, 32, 64)


def test_unknown_steps_are_named():
    with pytest.raises(MammoError, match=r"\['layer4.2'\].*layer4.1"):
        build('resnet', out_steps=('layer4.2',))
    with pytest.raises(MammoError, match='layer9'):
        build('resnet', attention_dropout=dict(after=['layer9.0']))
