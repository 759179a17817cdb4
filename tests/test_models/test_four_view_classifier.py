"""The four-view model: its parts, its labels, its missing views, its mirror image."""

import copy
import math

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from torch.nn import functional as F

from mmmammo.models.classifiers import FlipAverage
from mmmammo.models.classifiers.four_views import FourViews
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

BACKBONE = {'type': 'mmmammo.NYUResNet', 'widths': (4, 8), 'strides': (1, 2), 'blocks': 1}
SIZES = {'CC': (48, 32), 'MLO': (56, 40)}
ALL = [('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO')]


def build(head=None, **kwargs):
    torch.manual_seed(0)
    config = {
        'type': 'mmmammo.FourViewClassifier',
        'backbone': BACKBONE,
        'head': head or {'type': 'mmmammo.BreastHead', 'in_channels': 8, 'hidden_channels': 5},
        **kwargs,
    }
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(copy.deepcopy(config))


def exam_head():
    return {'type': 'mmmammo.ExamHead', 'in_channels': 8, 'hidden_channels': 5}


def sample(side, view, exam='a', slot=0, score=None, label=None):
    meta = {'img_id': f'{exam}{side}{view}', 'exam_id': exam, 'exam_slot': slot, 'laterality': side, 'view': view}
    data = DataSample(metainfo=meta)
    if score is not None:
        data.set_gt_score(torch.tensor(score))
    return data if label is None else data.set_gt_label(label)


def exam_of(views=ALL, seed=0, **kwargs):
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.rand(1, *SIZES[view], generator=generator) for _, view in views]
    return inputs, [sample(side, view, **kwargs) for side, view in views]


@pytest.mark.parametrize(('channels', 'expected'), [(1, 6_132_592), (3, 6_135_728)])
def test_the_view_wise_model_has_the_published_parameters(channels, expected):
    model = build({'type': 'mmmammo.BreastHead'}, backbone={'type': 'mmmammo.NYUResNet', 'in_channels': channels})
    assert sum(p.numel() for p in model.parameters()) == expected


def test_breasts_that_all_face_right_are_not_shown_mirrored():
    with pytest.raises(MammoError, match=r'all face right.*leave --tta out'):
        FlipAverage(build())


def test_scores_are_the_literal_ones():
    model = build({'type': 'mmmammo.BreastHead', 'in_channels': 8, 'reported': ['benign', 'malignant']}).eval()
    inputs, samples = exam_of()
    by_view = []
    for view, (left, right) in {'CC': (0, 2), 'MLO': (1, 3)}.items():
        features = [model.columns[view](inputs[i][None])[0].mean(dim=(2, 3))[0] for i in (left, right)]
        outputs = model.head.branches[view](torch.cat(features)).reshape(4, 2)
        by_view.append(outputs.log_softmax(dim=1).exp()[:, 1])  # L benign, R benign, L malignant, R malignant
    expected = (by_view[0] + by_view[1]) / 2
    out = model(inputs, samples, mode='predict')
    for number, side in ((0, 'L'), (1, 'L'), (2, 'R'), (3, 'R')):
        offset = 0 if side == 'L' else 1
        torch.testing.assert_close(out[number].pred_score, expected[[offset, 2 + offset]].detach())


def test_the_malignant_score_alone_is_reported_with_its_label():
    inputs, samples = exam_of(score=[1.0, 0.0])
    for one in build().eval()(inputs, samples, mode='predict'):
        assert one.pred_score.shape == (1,) and one.gt_score.tolist() == [0.0] and one.num_classes == 1


def test_an_unknown_label_does_not_become_a_no():
    inputs, samples = exam_of(score=[0.0, math.nan])
    assert all('gt_score' not in one for one in build().eval()(inputs, samples, mode='predict'))


def test_the_loss_is_the_mean_over_what_is_known():
    model = build(noise=0.0)
    inputs, samples = exam_of()
    for one, labels in zip(samples, [[1.0, 0.0]] * 2 + [[math.nan, 1.0]] * 2, strict=True):
        one.set_gt_score(torch.tensor(labels))
    views = FourViews.of(samples)
    logs = model.head(model.extract_feat(inputs, views))[0]
    terms = [-logs[view, side, cls, label] for view in (0, 1) for side, cls, label in [(0, 0, 1), (0, 1, 0), (1, 1, 1)]]
    torch.testing.assert_close(model(inputs, samples, mode='loss')['loss_cls'], torch.stack(terms).mean())


def test_no_known_label_costs_nothing_and_moves_nothing():
    model = build()
    inputs, samples = exam_of(score=[math.nan, math.nan])
    loss = model(inputs, samples, mode='loss')['loss_cls']
    loss.backward()
    assert loss == 0 and all(p.grad is not None and not p.grad.any() for p in model.parameters())


@pytest.mark.parametrize('head', [None, exam_head()], ids=['breasts', 'exam'])
def test_exams_of_a_batch_do_not_touch_each_other(head):
    model = build(head).eval()
    first, second = exam_of(seed=0), exam_of(seed=1, exam='b', slot=1)
    alone = [one.pred_score for data in (first, second) for one in model(*copy.deepcopy(data), mode='predict')]
    order = [5, 0, 2, 7, 1, 4, 3, 6]
    inputs, samples = first[0] + second[0], first[1] + second[1]
    together = model([inputs[i] for i in order], [samples[i] for i in order], mode='predict')
    for place, i in enumerate(order):
        torch.testing.assert_close(together[place].pred_score, alone[i])


def test_a_missing_projection_leaves_the_score_to_the_other():
    model = build().eval()
    inputs, samples = exam_of()
    whole = model.head(model.extract_feat(inputs, FourViews.of(samples)))[0, ..., 1].exp()
    kept = [0, 2, 3]  # no L-MLO
    out = model([inputs[i] for i in kept], [samples[i] for i in kept], mode='predict')
    torch.testing.assert_close(out[0].pred_score, whole[0, 0, 1:])  # of the CC branch alone, which lacks nothing


def test_a_missing_view_gets_zero_and_gives_no_gradient():
    model = build(noise=0.0)
    inputs, samples = exam_of([('L', 'CC')], score=[0.0, 1.0])
    feats = model.extract_feat(inputs, FourViews.of(samples))
    assert feats.shape == (1, 2, 2, 8) and feats[0, 0, 0].any()
    assert not feats[0, 0, 1].any() and not feats[0, 1].any()
    model(inputs, samples, mode='loss')['loss_cls'].backward()
    assert all(p.grad is not None and not p.grad.any() for p in model.columns['MLO'].parameters())
    assert any(p.grad.any() for p in model.columns['CC'].parameters())


def test_the_mirrored_woman_has_the_mirrored_features():
    """Prepared images face right: her mirror image is the same pixels with the sides exchanged."""
    model = build().eval()
    inputs, samples = exam_of()
    mirrored = [sample('R' if s.laterality == 'L' else 'L', s.view) for s in samples]
    one, other = (model.extract_feat(inputs, FourViews.of(s)) for s in (samples, mirrored))
    torch.testing.assert_close(other, one.flip(2))


def test_a_symmetric_head_gives_the_mirrored_scores():
    model = build().eval()
    for branch in model.head.branches.values():
        first, last = branch[0], branch[2]
        own, others = first.weight[:, :8].detach(), first.weight[:, 8:].detach()
        # one hidden unit for either side, each the other's with left and right exchanged
        first.weight = torch.nn.Parameter(torch.cat([torch.cat([own, others], 1), torch.cat([others, own], 1)]))
        first.bias = torch.nn.Parameter(first.bias.detach().repeat(2))
        of_class = last.weight.detach().reshape(2, 2, 2, 5)[:, 0]
        swapped = torch.stack([torch.cat([of_class, 0 * of_class], -1), torch.cat([0 * of_class, of_class], -1)], 1)
        last.weight = torch.nn.Parameter(swapped.reshape(8, 10))
        last.bias = torch.nn.Parameter(last.bias.detach().reshape(2, 2, 2)[:, :1].expand(2, 2, 2).reshape(8))
    inputs, samples = exam_of()
    mirrored = [sample('R' if s.laterality == 'L' else 'L', s.view) for s in samples]
    one = model(inputs, samples, mode='predict')
    other = model(inputs, mirrored, mode='predict')
    for here, there in zip(one, other, strict=True):  # the same pixels, told to be of the other side
        torch.testing.assert_close(there.pred_score, here.pred_score)
    assert one[0].pred_score != one[2].pred_score


def test_the_exam_head_judges_all_four_features():
    model = build(exam_head(), noise=0.0)
    inputs, samples = exam_of(label=1)
    views = FourViews.of(samples)
    logits = model.head.layers(model.extract_feat(inputs, views).reshape(1, -1))
    expected = F.cross_entropy(logits, torch.tensor([1]))
    torch.testing.assert_close(model(inputs, samples, mode='loss')['loss_cls'], expected)
    scores = {tuple(one.pred_score.tolist()) for one in model.eval()(inputs, samples, mode='predict')}
    assert len(scores) == 1 and sum(*scores) == pytest.approx(1)


def test_frozen_columns_stay_what_they_are():
    model = build(exam_head(), frozen=True).train()
    before = copy.deepcopy(model.columns.state_dict())
    inputs, samples = exam_of(label=0)
    model(inputs, samples, mode='loss')['loss_cls'].backward()
    assert not any(p.requires_grad for p in model.columns.parameters())
    assert all(p.grad is not None for p in model.head.parameters())
    for name, value in model.columns.state_dict().items():  # batch statistics, too
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_noise_is_for_training_only():
    model = build(noise=0.5)
    inputs, samples = exam_of()
    views = FourViews.of(samples)
    model.columns.eval()
    assert not torch.equal(model.extract_feat(inputs, views), model.extract_feat(inputs, views))
    model.eval()
    assert torch.equal(model.extract_feat(inputs, views), model.extract_feat(inputs, views))


def test_ten_crops_are_averaged_as_probabilities():
    model = build().eval()
    inputs, samples = exam_of()
    crops = [torch.stack([image + 0.1 * k for k in range(10)]) for image in inputs]
    each = [
        torch.stack([s.pred_score for s in model([c[k] for c in crops], copy.deepcopy(samples), mode='predict')])
        for k in range(10)
    ]
    mean = torch.stack([s.pred_score for s in model(crops, samples, mode='predict')])
    torch.testing.assert_close(mean, torch.stack(each).mean(dim=0))


def test_columns_come_from_another_training(tmp_path):
    trained = build()
    torch.save({'state_dict': trained.state_dict()}, tmp_path / 'a.pth')
    torch.manual_seed(1)
    model = build(exam_head(), columns_from=str(tmp_path / 'a.pth'))
    model.init_weights()
    for name, value in trained.columns.state_dict().items():
        torch.testing.assert_close(model.columns.state_dict()[name], value)


def test_columns_are_initialised():
    model = build()
    for column in model.columns.values():
        torch.nn.init.zeros_(column.stem.weight)
    model.init_weights()
    fan_out = 4 * 7 * 7  # He et al.: variance 2 / fan
    for column in model.columns.values():
        assert float(column.stem.weight.detach().var()) == pytest.approx(2 / fan_out, rel=0.3)


def test_columns_of_another_kind_are_refused(tmp_path):
    wider = build(backbone={**BACKBONE, 'in_channels': 3})
    torch.save({'state_dict': wider.state_dict()}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='columns that do not fit'):
        build(columns_from=str(tmp_path / 'a.pth')).init_weights()
    with pytest.raises(ValueError, match=r'b\.pth: columns_from: found no such file.*nyu_weights\.py'):
        build(columns_from=str(tmp_path / 'b.pth')).init_weights()


@pytest.mark.parametrize(
    ('views', 'message'),
    [
        ([('L', 'CC'), ('L', 'CC')], 'a second L CC'),
        ([('L', 'CC'), ('L', 'ML')], 'found L ML'),
        ([('U', 'CC')], 'found U CC'),
    ],
)
def test_what_has_no_place_is_refused(views, message):
    with pytest.raises(ValueError, match=message):
        FourViews.of([sample(side, view) for side, view in views])


def test_bad_input_is_told():
    model = build()
    inputs, samples = exam_of()
    with pytest.raises(ValueError, match='gt_score: found nothing'):
        model(inputs, samples, mode='loss')
    with pytest.raises(ValueError, match='found 1 entries'):
        model(*exam_of(score=[1.0]), mode='loss')
    with pytest.raises(ValueError, match='CC images of shapes'):
        model([inputs[0][:, :40], *inputs[1:]], samples, mode='predict')
    with pytest.raises(ValueError, match='data_samples: found none'):
        model(inputs)
    with pytest.raises(ValueError, match='crops of different images'):
        model([inputs[0][None].repeat(2, 1, 1, 1), *(i[None] for i in inputs[1:])], samples, mode='predict')
    with pytest.raises(ValueError, match='reported'):
        build({'type': 'mmmammo.BreastHead', 'reported': ['cancer']})
