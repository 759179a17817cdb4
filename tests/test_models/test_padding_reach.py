"""How far padding reaches into the features, on the graphs that are used."""

import pytest
import timm
import torch
from tiny_patches import build_backbone
from torch import nn

from mmmammo.models.sliding import padding_reach
from mmmammo.models.sliding.padding_probe import ATTENTION, SQUEEZE
from mmmammo.structures import MammoError

# clean cells per side at strides 2, 4, 8, 16, 32 of a window of 256; context in pixels
TABLE = {
    'resnet50': ([125, 55, 21, 0, 0], 224, ()),
    'densenet121': ([125, 49, 0, 0, 0], None, ()),
    'vgg19': ([122, 52, 18, 0, 0], 128, ()),
    'mobilenetv2': ([125, 59, 25, 0, 0], 256, ()),
    'mobilenetv3': ([125, 59, 19, 0, 0], 320, (SQUEEZE,)),
    'efficientnetv2_s': ([123, 55, 21, 0, 0], 768, (SQUEEZE,)),
}
LARGE = {
    'resnet101': ([125, 55, 21, 0, 0], 512, ()),
    'vgg16': ([122, 54, 20, 4, 2], 96, ()),
    'efficientnet_b4': ([123, 55, 13, 0, 0], 928, (SQUEEZE,)),
}


@pytest.mark.parametrize('name', [*TABLE, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_reach_of_the_backbones(name):
    reach = padding_reach(build_backbone(name))
    clean, context, ties = (TABLE | LARGE)[name]
    assert [reach.clean[stride] for stride in (2, 4, 8, 16, 32)] == clean
    assert (reach.stride, reach.context, reach.ties) == (32, context, ties)


def test_dirty_cells_of_both_ends():
    reach = padding_reach(build_backbone('thin_resnet50'))
    assert (reach.before, reach.after) == (7, 6)  # 13 of 64


@pytest.mark.parametrize(('name', 'context'), [('tf_efficientnetv2_s', 768), ('mobilenetv2_100', 256)])
def test_timm_has_the_same_reach(name, context):
    network = timm.create_model(name, pretrained=False, num_classes=0, global_pool='')
    assert padding_reach(network).context == context


def test_attention_is_seen():
    reach = padding_reach(build_backbone('swin_t'))
    assert reach.ties == (ATTENTION,)
    assert reach.context is None and not reach.clean


class Convolutions(nn.Module):
    """A padded 5 x 5 convolution of stride 2, and a padded pooling of stride 2."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 5, stride=2, padding=2)

    def forward(self, x):
        return nn.functional.max_pool2d(self.conv(x), 3, stride=2, padding=1)


def test_a_network_one_can_count():
    # conv: output i sees 2 i - 2 .. 2 i + 2: the first and the last see padding; pool: 2 i - 1 .. 2 i + 1
    reach = padding_reach(Convolutions(), window=64)
    assert reach.clean == {2: 32 - 2, 4: 16 - 2}
    assert (reach.before, reach.after, reach.context) == (1, 1, 4)


def test_the_strip_says_what_a_square_says():
    """Nan in place of the padding of rows and columns, by layers: the clean cells are a square of that side."""
    network = Convolutions()
    conv = nn.Conv2d(3, 4, 5, stride=2)
    conv.load_state_dict(network.conv.state_dict())
    pad = nn.functional.pad
    with torch.no_grad():
        inside = conv(pad(torch.zeros(1, 3, 64, 64), (2, 2, 2, 2), value=torch.nan))
        out = nn.functional.max_pool2d(pad(inside, (1, 1, 1, 1), value=torch.nan), 3, stride=2)
    clean = ~out.isnan().any(dim=1)[0]
    assert clean.sum() == padding_reach(network, window=64).clean[4] ** 2
    assert clean[1:15, 1:15].all()


def test_the_network_is_left_as_it_was():
    network = Convolutions().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    padding_reach(network, window=64)
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_network_without_a_map_is_refused():
    with pytest.raises(MammoError, match='last feature'):
        padding_reach(nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
