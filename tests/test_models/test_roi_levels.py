"""Levels of regions under mixed precision."""

import pytest
import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

from mmmammo.models.layers import use_float_levels


def levels_of(extractor, sides, kind):
    rois = torch.tensor([[0.0, 10.0, 10.0, 10.0 + side, 10.0 + side] for side in sides])
    return extractor.map_roi_levels(rois.type(kind), 4).tolist()


@pytest.mark.parametrize('kind', [torch.float16, torch.float32], ids=str)
def test_half_precision_pools_from_the_levels_of_single_precision(kind):
    """Level floor(log2(side / 56)): 300 px is P4 (2), though its area is infinite in half precision."""
    layer = {'type': 'RoIAlign', 'output_size': 7, 'sampling_ratio': 2}
    extractor = SingleRoIExtractor(layer, 8, [4, 8, 16, 32])
    sides = (50, 120, 240, 300, 440, 450, 900)
    expected = [0, 1, 2, 2, 2, 3, 3]
    assert levels_of(extractor, sides, torch.float16) != expected  # or this module is not needed any more
    assert levels_of(use_float_levels(extractor), sides, kind) == expected


def test_a_subclass_is_left_alone():
    class Own(SingleRoIExtractor):
        pass

    own = Own({'type': 'RoIAlign', 'output_size': 7, 'sampling_ratio': 2}, 8, [4])
    assert type(use_float_levels(own)) is Own
