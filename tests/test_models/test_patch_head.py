"""The head of paper 1: windows, maps of windows, blocks with context, and its number of parameters."""

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from mmmammo.models import PatchHead
from mmmammo.structures import MammoError


def head(**options):
    torch.manual_seed(0)
    return PatchHead(**{'in_channels': 6, 'num_classes': 4, 'hidden_channels': 5} | options).double().eval()


def features(height, width, channels=6, n=2):
    return torch.randn(n, channels, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_it_is_linear_relu_linear_on_the_mean():
    model, maps = head(), features(8, 8)
    layers = nn.Sequential(model.hidden, nn.ReLU(), model.fc)
    torch.testing.assert_close(model((maps,)), layers(maps.mean(dim=(2, 3))))
    torch.testing.assert_close(model((None, maps.mean(dim=(2, 3)))), model((maps,)))  # pooled already


def test_flattened_features_keep_their_place():
    model, maps = head(pooling='flatten', grid=7), features(8, 8)
    pooled = nn.AdaptiveAvgPool2d(7)(maps)
    torch.testing.assert_close(model((maps,)), model.fc(torch.relu(model.hidden(pooled.flatten(1)))))
    assert not torch.allclose(model((maps,)), model((maps.flip(-1),)))


def test_adaptive_pooling_of_a_window_is_average_pooling():
    maps = features(8, 8)
    assert torch.equal(nn.AdaptiveAvgPool2d(7)(maps), nn.AvgPool2d(2, stride=1)(maps))


@pytest.mark.parametrize(
    ('options', 'cells'),
    [({}, 8), ({}, 2), ({}, 1), ({'pooling': 'flatten'}, 8), ({'pooling': 'flatten'}, 7)],
)
def test_a_map_is_judged_as_its_windows_are(options, cells):
    model, maps = head(**options), features(11, 9)
    found = model.score_map(maps, cells)
    assert found.shape == (2, 4, 12 - cells, 10 - cells)
    for i in range(12 - cells):
        for j in range(10 - cells):
            window = maps[:, :, i : i + cells, j : j + cells]
            torch.testing.assert_close(found[:, :, i, j], model((window,)), rtol=1e-12, atol=1e-12)


def test_context_is_seen_by_the_features_and_not_pooled():
    model, maps = head(cells=4), features(10, 8)
    torch.testing.assert_close(model((maps,)), head()((maps[:, :, 3:7, 2:6],)))


@pytest.mark.parametrize('shape', [(3, 8), (9, 8)], ids=['too small', 'no middle'])
def test_a_map_without_such_a_middle_is_refused(shape):
    with pytest.raises(MammoError, match='4 x 4 and an equal number of cells on either side'):
        head(cells=4)((features(*shape),))


def test_a_map_smaller_than_a_window_is_refused():
    with pytest.raises(MammoError, match='at least 8 x 8 cells'):
        head().score_map(features(8, 7), 8)


def test_flattening_wants_windows_that_one_stride_can_pool():
    with pytest.raises(MammoError, match='7 or 8, with a grid of 7'):
        head(pooling='flatten').score_map(features(12, 12), 10)


@pytest.mark.parametrize(
    ('options', 'words'),
    [({'pooling': 'max'}, "pooling: found 'max'"), ({'num_classes': 0}, 'num_classes'), ({'cells': 0}, 'cells')],
)
def test_settings_that_make_no_sense(options, words):
    with pytest.raises(MammoError, match=words):
        head(**options)


def samples(*labels):
    return [DataSample().set_gt_score(torch.tensor(label, dtype=torch.float32)) for label in labels]


def test_loss_and_prediction():
    model = head().float()
    maps = features(8, 8).float()
    losses = model.loss((maps,), samples([1, 0, 0, 1], [0, 0, 0, 0]))  # the second shows nothing
    assert torch.isfinite(losses['loss']) and losses['loss'] > 0
    scores = [sample.pred_score for sample in model.predict((maps,))]
    torch.testing.assert_close(torch.stack(scores), torch.sigmoid(model((maps,))))


@pytest.mark.parametrize(
    ('channels', 'expected'),
    [(2048, 1054218), (1280, 661002), (1024, 529930), (768, 398858), (512, 267786)],
    ids=['ResNet-50', 'EfficientNetV2-S, MobileNetV2', 'DenseNet-121', 'Swin-T', 'VGG-19'],
)
def test_number_of_parameters(channels, expected):
    with torch.device('meta'):
        model = PatchHead(channels)
    assert sum(p.numel() for p in model.parameters()) == expected == channels * 512 + 512 + 512 * 10 + 10
