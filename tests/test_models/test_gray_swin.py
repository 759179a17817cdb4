"""A one-channel patch embedding out of a three-channel checkpoint."""

import pytest
import torch
from mmdet.models.backbones import SwinTransformer
from mmengine.config import ConfigDict

from mmmammo.models import GraySwin
from mmmammo.structures import MammoError

TINY = {
    'embed_dims': 8,
    'depths': (1, 1),
    'num_heads': (1, 2),
    'strides': (4, 2),
    'window_size': 4,
    'out_indices': (1,),
}


def test_sum_equals_the_colour_network_on_replicated_grey(tmp_path):
    torch.manual_seed(0)
    colour = SwinTransformer(**TINY)
    colour.eval()  # which returns nothing in mmdet
    torch.save({f'backbone.{key}': value for key, value in colour.state_dict().items()}, tmp_path / 'colour.pth')
    start = ConfigDict(type='Pretrained', checkpoint=str(tmp_path / 'colour.pth'))
    grey = GraySwin(**TINY, init_cfg=start)
    grey.init_weights()  # as a config with pretrained weights does it
    image = torch.randn(1, 1, 64, 48)
    grey.eval()
    found, expected = grey(image)[0], colour(image.expand(-1, 3, -1, -1))[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_unknown_adaptation_is_refused():
    with pytest.raises(MammoError, match='GraySwin: stem_adaptation'):
        GraySwin(**TINY, stem_adaptation='mean')
