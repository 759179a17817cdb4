"""The backbones of the NYU models: sizes, parameters, padding."""

import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from mmmammo.models import NYUResNet, SamePaddingDenseNet
from mmmammo.models.backbones.same_padding_densenet import SamePadded
from mmmammo.registry import MODELS


def count(module):
    return sum(p.numel() for p in module.parameters())


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(copy.deepcopy(config))


@pytest.mark.parametrize(('channels', 'expected'), [(1, 2_799_536), (3, 2_801_104)])
def test_resnet22_has_the_published_parameters(channels, expected):
    assert count(NYUResNet(in_channels=channels)) == expected


def side_after(length):
    """A side of the last feature, layer by layer."""
    length = (length - 7) // 2 + 1
    length = (length - 3) // 2 + 1
    for _ in range(4):
        length = -(-length // 2)
    return length


@pytest.mark.parametrize(('size', 'cells'), [((2677, 1942), (42, 31)), ((2974, 1748), (47, 28))])
def test_the_cells_of_full_windows(size, cells):
    assert tuple(side_after(side) for side in size) == cells
    narrow = NYUResNet(widths=(2,) * 5).to('meta')  # the sizes do not depend on the widths
    assert narrow(torch.zeros(1, 1, *size, device='meta'))[0].shape == (1, 2, *cells)


def test_a_block_is_the_literal_one():
    torch.manual_seed(0)
    model = NYUResNet(widths=(4, 6), strides=(1, 2), blocks=2).double().eval()
    x = torch.rand(2, 1, 40, 36, dtype=torch.float64)
    y = nn.functional.max_pool2d(nn.functional.conv2d(x, model.stem.weight, stride=2), 3, 2)
    for stage, stride in zip(model.stages, (1, 2), strict=True):
        for number, block in enumerate(stage):
            step = stride if number == 0 else 1
            active = torch.relu(block.norm1(y))
            residual = nn.functional.conv2d(active, block.downsample.weight, stride=step) if number == 0 else y
            inner = torch.relu(block.norm2(nn.functional.conv2d(active, block.conv1.weight, stride=step, padding=1)))
            y = residual + nn.functional.conv2d(inner, block.conv2.weight, padding=1)
    torch.testing.assert_close(model(x)[0], torch.relu(model.norm(y)))


def test_every_stage_begins_with_a_downsample():
    model = NYUResNet()
    assert [[block.downsample is not None for block in stage] for stage in model.stages] == [[True, False]] * 5


def test_widths_and_strides_must_fit():
    with pytest.raises(ValueError, match='one stride per width'):
        NYUResNet(widths=(8, 16), strides=(1,))


def test_the_patch_classifier_has_the_published_parameters():
    patch = {
        'type': 'mmpretrain.ImageClassifier',
        'data_preprocessor': {'type': 'mmpretrain.ClsDataPreprocessor'},
        'backbone': {'type': 'mmmammo.SamePaddingDenseNet', 'arch': '121'},
        'neck': {'type': 'mmpretrain.GlobalAveragePooling'},
        'head': {'type': 'mmpretrain.LinearClsHead', 'num_classes': 4, 'in_channels': 1024},
    }
    assert count(build(patch)) == 6_957_956


@pytest.mark.parametrize('side', [7, 8, 13, 16, 256])
def test_same_padding_is_that_of_tensorflow(side):
    """Output o of a window of k at stride s begins at s * o - before, before the lesser half of the padding."""
    total = max((-(-side // 2) - 1) * 2 + 7 - side, 0)
    before = total // 2
    x = torch.rand(1, 1, side, side)
    weight = torch.rand(1, 1, 7, 7)
    layer = SamePadded(nn.Conv2d(1, 1, 7, 2, bias=False))
    layer.layer.weight.data = weight
    out = layer(x)
    assert out.shape[-1] == -(-side // 2)
    for o in range(out.shape[-1]):
        rows = [r for r in range(2 * o - before, 2 * o - before + 7) if 0 <= r < side]
        offset = rows[0] - (2 * o - before)
        expected = (
            x[0, 0, rows][:, rows] * weight[0, 0, offset : offset + len(rows), offset : offset + len(rows)]
        ).sum()
        torch.testing.assert_close(out[0, 0, o, o], expected)


def test_a_maximum_is_padded_with_nothing():
    out = SamePadded(nn.MaxPool2d(3, 2), fill=float('-inf'))(-torch.ones(1, 1, 4, 4))
    assert (out == -1).all() and out.shape[-1] == 2


def test_the_densenet_gives_a_cell_per_32_pixels():
    model = SamePaddingDenseNet(arch={'growth_rate': 4, 'depths': [1, 1, 1, 1], 'init_channels': 8})
    model.eval()  # returns nothing
    assert model(torch.rand(1, 3, 64, 96))[0].shape[-2:] == (2, 3)
