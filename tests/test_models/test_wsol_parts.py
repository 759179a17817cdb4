"""The pure parts of the localisers, against versions written out."""

import math

import numpy as np
import pytest
import torch

from mmmammo.evaluation.functional import best_iou_per_threshold
from mmmammo.models.wsol import AttentionDropout, MapBranch
from mmmammo.models.wsol.attention_dropout import less_attended
from mmmammo.models.wsol.class_maps import map_instances, of_classes, stretched
from mmmammo.models.wsol.spg_head import guidance_loss, guidance_masks
from mmmammo.structures import MammoError

FEATURES = torch.rand(3, 5, 6, 7, generator=torch.Generator().manual_seed(0))
SQUARE = torch.rand(2, 1, 24, 24, generator=torch.Generator().manual_seed(1))


def test_the_map_is_the_class_activation_map_of_pooling_and_a_linear_layer():
    branch = MapBranch(5, 2)
    weight, bias = branch.classifier[1].weight[:, :, 0, 0], branch.classifier[1].bias
    maps = branch(FEATURES)
    pooled = FEATURES.mean(dim=(2, 3))
    torch.testing.assert_close(maps.mean(dim=(2, 3)), pooled @ weight.T + bias)
    literal = sum(weight[1, k] * FEATURES[:, k] for k in range(5))
    torch.testing.assert_close(maps[:, 1] - bias[1], literal)


def test_maps_stretch_from_0_to_1_one_by_one():
    literal = torch.stack([(m - m.min()) / (m.max() - m.min()) for m in FEATURES.flatten(0, 1)])
    torch.testing.assert_close(stretched(FEATURES).flatten(0, 1), literal)


@pytest.mark.parametrize('odd', [3.0, math.nan, math.inf])
def test_flat_and_undefined_maps_are_zero(odd):
    maps = FEATURES.clone()
    maps[1, 2] = 3.0
    maps[1, 2, 0, 0] = odd
    found = stretched(maps)
    assert (found[1, 2] == 0).all() and found[1, 1].max() == 1 and found.isfinite().all()


def test_each_image_has_its_own_class():
    chosen = of_classes(FEATURES, torch.tensor([4, 0, 2]))
    assert chosen.shape == (3, 1, 6, 7)
    torch.testing.assert_close(chosen[:, 0], torch.stack([FEATURES[0, 4], FEATURES[1, 0], FEATURES[2, 2]]))


def test_the_most_attended_part_is_hidden():
    attention = FEATURES.mean(dim=1, keepdim=True)
    mask = less_attended(attention, 0.9)
    for image, seen in zip(attention[:, 0].tolist(), mask[:, 0].tolist(), strict=True):
        peak = max(max(row) for row in image)
        assert seen == [[float(value < 0.9 * peak) for value in row] for row in image]


def test_attention_dropout_hides_or_weighs_and_is_nothing_at_test_time():
    attention = FEATURES.mean(dim=1, keepdim=True)
    torch.testing.assert_close(AttentionDropout(1.0)(FEATURES), FEATURES * less_attended(attention, 0.9))
    torch.testing.assert_close(AttentionDropout(0.0)(FEATURES), FEATURES * torch.sigmoid(attention))
    assert AttentionDropout(1.0).eval()(FEATURES) is FEATURES


def test_one_coin_decides_for_the_batch():
    torch.manual_seed(0)
    layer, both = AttentionDropout(0.75), torch.zeros(2)
    for _ in range(400):
        zeros = (layer(FEATURES) == 0).flatten(1).any(dim=1)
        assert zeros.all() or not zeros.any()
        both[int(zeros.all())] += 1
    assert abs(both[1] / 400 - 0.75) < 0.08


@pytest.mark.parametrize('arguments', [dict(drop_rate=1.2), dict(threshold=-0.1)])
def test_rates_out_of_range_are_refused(arguments):
    with pytest.raises(MammoError, match='AttentionDropout'):
        AttentionDropout(**arguments)


def literal_mask(guide, high, low):
    """SPG's rule pixel by pixel: 1, 0, or 255 for "not asked"."""
    mask = np.full(guide.shape, 255.0)
    for n, (image,) in enumerate(guide):
        line = high if (image > high).sum() >= 30 else 0.7 * image.max()
        mask[n, 0][image > line] = 1
    mask[guide < low] = 0
    return mask


@pytest.mark.parametrize(('high', 'low'), [(0.7, 0.01), (0.5, 0.05), (0.7, 0.1), (0.99, 0.1), (0.999, 0.9)])
def test_guidance_equals_the_loop(high, low):
    foreground, background = guidance_masks(SQUARE, high, low)
    expected = literal_mask(SQUARE.numpy(), high, low)
    np.testing.assert_array_equal(foreground.numpy(), expected == 1)
    np.testing.assert_array_equal(background.numpy(), expected == 0)
    logits = torch.randn(SQUARE.shape, generator=torch.Generator().manual_seed(2))
    p, y = torch.sigmoid(logits).numpy()[expected < 255], expected[expected < 255]
    literal = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert guidance_loss(logits, SQUARE, high, low).item() == pytest.approx(literal, rel=1e-5)


def test_nothing_sure_is_no_loss_but_a_gradient():
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    loss = guidance_loss(logits, torch.zeros(1, 1, 8, 8), 0.7, 0.0)
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()


def test_a_map_of_the_box_gives_the_box():
    heatmap = np.zeros((64, 64), dtype=np.float32)
    heatmap[20:50, 10:40] = 0.8
    found = map_instances(heatmap, (64, 64), (0.5, 0.25))
    np.testing.assert_allclose(found.bboxes.numpy(), [[20, 80, 80, 200]])
    np.testing.assert_allclose(found.scores.numpy(), [0.8], rtol=1e-6)
    assert found.labels.tolist() == [0]
    assert (best_iou_per_threshold(heatmap, [[10, 20, 40, 50]], (64, 64), pixels='continuous') == 1).all()


def test_regions_come_best_first():
    heatmap = np.zeros((40, 40), dtype=np.float32)
    heatmap[2:22, 2:22], heatmap[30:34, 30:34] = 0.5, 1.0
    large = map_instances(heatmap, (40, 40), level=0.2)
    both = map_instances(heatmap, (40, 40), level=0.2, regions='all')
    np.testing.assert_allclose(large.bboxes.numpy(), [[2, 2, 22, 22]])
    np.testing.assert_allclose(both.scores.numpy(), [1.0, 127 / 255])
    assert len(map_instances(heatmap, (40, 40), level=0.6).bboxes) == 1


@pytest.mark.parametrize('value', [0.4, math.nan])
def test_a_map_that_shows_nothing_gives_no_box(value):
    found = map_instances(np.full((7, 7), value, dtype=np.float32), (56, 56))
    assert found.bboxes.shape == (0, 4) and len(found.scores) == len(found.labels) == 0
