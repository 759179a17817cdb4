"""The module in the place of mmcv's."""

import copy

import pytest
import torch
from mmcv.ops import RoIAlign
from mmdet.registry import MODELS
from torch import nn

from mmmammo.engine.fast_layers import fuse_operators
from mmmammo.models.layers import FusedRoIAlign, fuse_roi_align
from mmmammo.models.layers import fused_roi_align as module


class OwnRoIAlign(RoIAlign):
    """Somebody else's."""


def test_modules_of_a_model_are_turned_and_subclasses_left():
    model = nn.ModuleList([RoIAlign(7), OwnRoIAlign(7), nn.ReLU()])
    assert [type(part) for part in fuse_roi_align(model)] == [FusedRoIAlign, OwnRoIAlign, nn.ReLU]


def test_an_extractor_of_several_levels_gives_the_same(monkeypatch):
    extractor = MODELS.build(
        {
            'type': 'SingleRoIExtractor',
            'roi_layer': {'type': 'RoIAlign', 'output_size': 7, 'sampling_ratio': 0},
            'out_channels': 16,
            'featmap_strides': [4, 8],
        }
    )
    maps = [torch.randn(2, 16, 24, 16), torch.randn(2, 16, 12, 8)]
    regions = torch.tensor([[0.0, 3, 5, 40, 31], [1, 0, 0, 64, 96], [1, 20, 30, 22, 33]])
    expected = extractor(maps, regions)
    used = []
    monkeypatch.setattr(module, 'roi_align', lambda *given: used.append(1) or _ours(*given))
    result = fuse_operators(copy.deepcopy(extractor))(maps, regions)
    assert used and result.is_contiguous()
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


_ours = module.roi_align


@pytest.mark.parametrize('changes', [{'pool_mode': 'max'}, {'use_torchvision': True}])
def test_what_the_operator_does_not_do_its_parent_does(monkeypatch, changes):
    stock = RoIAlign(3, **changes)
    given = torch.randn(1, 4, 9, 9), torch.tensor([[0.0, 1, 1, 8, 7]])
    expected = stock(*given)
    monkeypatch.setattr(module, 'roi_align', None)
    assert torch.equal(fuse_roi_align(stock)(*given), expected)
