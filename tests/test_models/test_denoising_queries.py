"""Noise of denoising queries: its bounds, mmdet's bits, the mask, and what odd batches give."""

import pytest
import torch
from mmdet.models.layers import CdnQueryGenerator
from tiny_dino import DIM, batch

from mmmammo.models.layers import MammoCdnQueryGenerator
from mmmammo.structures import MammoError

FAR = [[40.0, 40.0, 56.0, 60.0]]  # of an image of 100: lambda2 = 2 cannot reach the border


def generator(cls=MammoCdnQueryGenerator, num_classes=3, num_queries=7, groups=10, seed=0, **kwargs):
    torch.manual_seed(seed)
    return cls(num_classes, DIM, num_queries, group_cfg={'dynamic': True, 'num_dn_queries': groups}, **kwargs)


def noisy_corners(lambda1, lambda2, groups, boxes=FAR, seed=0):
    """xyxy in [0, 1] of the positives and the negatives, each (groups, lesions, 4), and of the lesions."""
    maker = generator(pos_noise_scale=lambda1, neg_noise_scale=lambda2)
    truth = torch.tensor(boxes) / 100
    torch.manual_seed(seed)
    cx, cy, w, h = maker.generate_dn_bbox_query(truth, groups).sigmoid().double().unbind(-1)
    corners = torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1).view(groups, 2, len(boxes), 4)
    return corners[:, 0], corners[:, 1], truth.double(), torch.stack([w, h], -1).view(groups, 2, len(boxes), 2)


@pytest.mark.parametrize('scale', [1.0, 0.4, 0.7])
@pytest.mark.parametrize('boxes', [[FAR, []], [FAR * 3, FAR], [[[0.0, 0.0, 1.0, 1.0]], [[90.0, 3.0, 100.0, 5.0]]]])
def test_twice_lambda1_is_mmdet_bit_for_bit(scale, boxes):
    ours = generator(pos_noise_scale=scale, neg_noise_scale=2 * scale)
    theirs = generator(CdnQueryGenerator, box_noise_scale=scale)
    _, samples = batch(boxes, size=(100, 100), labels=[[1] * len(rows) for rows in boxes])
    results = []
    for maker in (ours, theirs):
        torch.manual_seed(5)
        results.append(maker(samples))
    assert torch.equal(ours.label_embedding.weight, theirs.label_embedding.weight)
    for mine, other in zip(results[0][:3], results[1][:3], strict=True):
        assert torch.equal(mine, other)
    assert results[0][3] == results[1][3]


@pytest.mark.parametrize(('lambda1', 'lambda2'), [(1.0, 2.0), (0.4, 0.8), (1.0, 1.25), (1.0, 1.5), (0.2, 1.0)])
def test_each_side_moves_within_its_bounds(lambda1, lambda2):
    maker = generator(pos_noise_scale=lambda1, neg_noise_scale=lambda2)
    truth = torch.tensor(FAR) / 100
    box = maker.generate_dn_bbox_query(truth, 3000).sigmoid().double()
    # |moved| = u * side / 2; the sum and difference of two opposite sides are the centre and the size, which come back
    moved_centre = (box[:, :2] - torch.tensor([[0.48, 0.5]])).abs().view(3000, 2, 2)
    half = torch.tensor([0.08, 0.10])
    assert (moved_centre[:, 0] < lambda1 * half + 1e-6).all()
    assert (moved_centre[:, 1] < lambda2 * half + 1e-6).all()
    low, high = (moved_centre[:, i].amax(0) / half for i in (0, 1))
    assert (low > 0.9 * lambda1).all() and (high > 0.9 * lambda2).all()


@pytest.mark.parametrize(('lambda1', 'lambda2'), [(0.4, 0.8), (0.4, 0.5), (0.4, 0.6), (0.2, 0.9)])
def test_negatives_move_every_side_between_lambda1_and_lambda2(lambda1, lambda2):
    # Up to lambda2 < 1 nothing is turned inside out, so the corners come back from centre and size.
    positives, negatives, truth, _ = noisy_corners(lambda1, lambda2, 2000)
    half = torch.tensor([0.16, 0.20, 0.16, 0.20], dtype=torch.double) / 2
    moved = [(corners - truth).abs()[:, 0] / half for corners in (positives, negatives)]
    near = 0.01 * lambda2 + 1e-4
    assert moved[0].max() < lambda1 + 1e-4 and moved[0].max() > lambda1 - near and moved[0].min() < near
    assert moved[1].min() > lambda1 - 1e-4 and moved[1].min() < lambda1 + near
    assert moved[1].max() < lambda2 + 1e-4 and moved[1].max() > lambda2 - near


def test_both_directions_are_as_likely():
    positives, _, truth, _ = noisy_corners(0.5, 0.8, 4000)
    outwards = (positives - truth > 0).double().mean(dim=(0, 1))
    assert (outwards - 0.5).abs().max() < 4 * 0.5 / 4000**0.5


def test_seven_of_sixteen_negatives_are_inside_out_and_no_positive():
    # A width is w(1 + (s1 u1 + s2 u2) / 2), u in [1, 2): both ends inwards (1/4) always, so P(w <= 0) = 1/4, and
    # the same for the height: 1 - (3/4)^2 = 7/16.
    num = 20000
    *_, sides = noisy_corners(1.0, 2.0, num)
    inverted = (sides < 1.5e-3).any(dim=-1)[..., 0]
    assert inverted[:, 0].sum() <= num * 1e-3  # only sizes that are tiny, none below zero
    assert inverted[:, 1].double().mean().item() == pytest.approx(7 / 16, abs=4 * (7 / 16 * 9 / 16 / num) ** 0.5)


def test_noise_at_the_border_is_cut_and_finite():
    maker = generator()
    _, samples = batch([[[0.0, 10.0, 6.0, 30.0], [99.0, 99.0, 100.0, 100.0]]], size=(100, 100))
    query = maker(samples)[1]
    assert torch.isfinite(query).all()
    cx, cy, w, h = query.sigmoid().unbind(-1)
    assert (cx >= 0).all() and (cx <= 1).all() and (w > 0).all() and (h > 0).all()


@pytest.mark.parametrize(('counts', 'num_dn', 'groups'), [((1, 0), 10, 10), ((3, 2), 10, 3), ((4, 4), 4, 1)])
def test_the_mask_hides_what_it_should_and_counts(counts, num_dn, groups):
    maker = generator(num_queries=7, groups=num_dn)
    _, samples = batch([FAR * count for count in counts], size=(100, 100))
    *_, mask, meta = maker(samples)
    n, nq = max(counts), 7
    ndn = 2 * n * groups
    assert meta == {'num_denoising_queries': ndn, 'num_denoising_groups': groups}
    expected = torch.zeros(ndn + nq, ndn + nq, dtype=torch.bool)
    for row in range(ndn + nq):
        for column in range(ndn):
            same_group = row < ndn and row // (2 * n) == column // (2 * n)
            expected[row, column] = not same_group
    assert torch.equal(mask, expected)
    assert mask.sum() == nq * ndn + groups * (2 * n) * (ndn - 2 * n)


def test_more_lesions_than_slots_get_one_group_that_holds_them_all():
    _, samples = batch([FAR * 25, FAR], size=(100, 100))
    labels, boxes, _, meta = generator(groups=10)(samples)
    assert meta == {'num_denoising_queries': 50, 'num_denoising_groups': 1}
    assert boxes.shape == (2, 50, 4) and labels.shape == (2, 50, DIM)


def test_a_batch_without_lesions_gets_no_query():
    maker = generator()
    labels, boxes, mask, meta = maker(batch([[], []])[1])
    assert labels.shape == (2, 0, DIM) and boxes.shape == (2, 0, 4)
    assert mask.shape == (7, 7) and not mask.any()
    assert meta['num_denoising_queries'] == 0
    labels.sum().backward()
    assert (maker.label_embedding.weight.grad == 0).all()


def test_denoising_can_be_off():
    maker = generator(groups=0)
    labels, boxes, mask, meta = maker(batch([FAR])[1])
    assert maker.is_off and mask is None and meta is None
    assert labels.shape == (1, 0, DIM) and boxes.shape == (1, 0, 4)


@pytest.mark.parametrize('num_classes', [1, 2, 5])
@pytest.mark.parametrize('scale', [0.0, 0.5, 1.0])
def test_other_label_noise_changes_half_its_scale_whatever_the_classes(num_classes, scale):
    maker = generator(num_classes=num_classes, label_noise='other', label_noise_scale=scale)
    truth = torch.arange(num_classes).repeat(6000 // num_classes)
    query = maker.generate_dn_label_query(truth, 1)
    found = torch.cdist(query, maker.label_embedding.weight).argmin(1)
    changed = found != truth.repeat(2)
    assert changed.double().mean().item() == pytest.approx(scale / 2, abs=0.02)
    if scale:
        counts = torch.bincount(found[changed], minlength=num_classes + 1).double() / changed.sum()
        unknown = counts[-1].item()  # one of num_classes alternatives of each label
        assert unknown == pytest.approx(1 / num_classes, abs=0.04)


def test_uniform_label_noise_does_nothing_with_one_class():
    maker = generator(num_classes=1, label_noise_scale=2.0)
    query = maker.generate_dn_label_query(torch.zeros(50, dtype=torch.long), 1)
    assert torch.equal(query, maker.label_embedding.weight.expand(100, -1))


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        ({'pos_noise_scale': 0.0}, 'found 0.0, 2.0; expected 0 <'),
        ({'pos_noise_scale': 1.0, 'neg_noise_scale': 1.0}, 'found 1.0, 1.0'),
        ({'neg_noise_scale': float('nan')}, 'nan'),
        ({'label_noise_scale': 2.5}, 'label_noise_scale: found 2.5'),
        ({'label_noise': 'flip'}, "found 'flip'; expected one of"),
    ],
)
def test_wrong_settings_are_named(wrong, words):
    with pytest.raises(MammoError, match=words):
        generator(**wrong)
