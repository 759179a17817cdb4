"""A one-channel stem out of a three-channel checkpoint."""

import pytest
import torch
from mmdet.models.backbones import CSPNeXt, ResNet

from mmmammo.models import GrayCSPNeXt, GrayResNet
from mmmammo.structures import MammoError


@pytest.fixture(scope='module')
def colour():
    torch.manual_seed(0)
    model = ResNet(18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    model.eval()  # which returns nothing in mmdet
    return model


def make(colour, **kwargs):
    model = GrayResNet(18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,), **kwargs)
    model.eval()
    model.load_state_dict(colour.state_dict())
    return model


def test_sum_equals_the_colour_network_on_replicated_grey(colour):
    image = torch.randn(1, 1, 64, 48)
    found, expected = make(colour)(image)[0], colour(image.expand(-1, 3, -1, -1))[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_luma_is_the_papers_formula(colour):
    red, green, blue = colour.conv1.weight.unbind(1)
    expected = (0.299 * red + 0.587 * green + 0.114 * blue)[:, None]
    torch.testing.assert_close(make(colour, stem_adaptation='luma').conv1.weight, expected)


def test_luma_answers_grey_a_third_as_strongly_when_colours_agree(colour):
    like = {**colour.state_dict(), 'conv1.weight': colour.conv1.weight.detach()[:, :1].expand(-1, 3, -1, -1)}
    models = []
    for adaptation in ('sum', 'luma'):
        model = make(colour, stem_adaptation=adaptation)
        model.load_state_dict(like)
        models.append(model)
    torch.testing.assert_close(models[0].conv1.weight, 3 * models[1].conv1.weight)


def test_its_own_checkpoint_is_left_alone(colour):
    trained = make(colour)
    again = GrayResNet(18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    again.load_state_dict(trained.state_dict())
    assert torch.equal(again.conv1.weight, trained.conv1.weight)


def test_deep_stem():
    sizes = dict(num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,), deep_stem=True)
    colour = ResNet(18, **sizes)
    gray = GrayResNet(18, **sizes)
    gray.load_state_dict(colour.state_dict())
    torch.testing.assert_close(gray.stem[0].weight, colour.stem[0].weight.sum(1, keepdim=True))


def test_cspnext_equals_the_colour_network_on_replicated_grey():
    sizes = dict(deepen_factor=0.1, widen_factor=0.125)
    colour, gray = CSPNeXt(**sizes), GrayCSPNeXt(**sizes)
    gray.load_state_dict(colour.state_dict())
    for model in (colour, gray):
        model.eval()
    image = torch.randn(1, 1, 64, 64)
    torch.testing.assert_close(gray(image)[0], colour(image.expand(-1, 3, -1, -1))[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(('backbone', 'arguments'), [(GrayResNet, (18,)), (GrayCSPNeXt, ())])
def test_unknown_adaptation_is_refused(backbone, arguments):
    with pytest.raises(MammoError, match='stem_adaptation'):
        backbone(*arguments, stem_adaptation='mean')
