"""Breast scores from any number of views, and a classifier that looks at mirror images too."""

import math

import numpy as np
import pytest
import torch
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import nn

from mmmammo.datasets.transforms import FlipView, PackView
from mmmammo.models import AttentionPoolingHead, FlipAverage
from mmmammo.models.classifiers.attention_pooling_head import groups_of
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

CPU = torch.device('cpu')


@pytest.fixture(autouse=True)
def _scope_and_seed():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def view(side, exam='e', positive=0, **meta):
    sample = DataSample(metainfo={'exam_id': exam, 'laterality': side, **meta})
    return sample.set_gt_score(torch.tensor([float(positive)]))


def head(**kwargs):
    built = AttentionPoolingHead(**{'in_channels': 6, 'hidden': 4} | kwargs)
    for parameter in built.parameters():
        nn.init.normal_(parameter)
    return built.eval()


def scores(model, feature, samples):
    found = model.predict((feature,), [sample.clone() for sample in samples])
    return torch.stack([sample.pred_score for sample in found])[:, 0]


EXAM = ['L', 'L', 'R', 'R', 'R', 'L']


def test_images_of_a_breast_share_its_score():
    feature, samples = torch.randn(6, 6), [view(side) for side in EXAM]
    found = scores(head(), feature, samples)
    assert len(set(found[[0, 1, 5]].tolist())) == 1 and len(set(found[[2, 3, 4]].tolist())) == 1
    assert found[0] != found[2]


@pytest.mark.parametrize('context', [True, False])
def test_the_order_of_the_views_has_no_influence(context):
    model, feature, samples = head(exam_context=context), torch.randn(6, 6), [view(side) for side in EXAM]
    order = [4, 0, 5, 2, 1, 3]
    moved = scores(model, feature[order], [samples[i] for i in order])
    torch.testing.assert_close(moved, scores(model, feature, samples)[order])


@pytest.mark.parametrize('number', range(1, 7))
def test_any_number_of_views_serves(number):
    samples = [view(side) for side in EXAM[:number]]
    found = head().predict((torch.randn(number, 6),), samples)
    assert all(torch.isfinite(sample.pred_score).all() for sample in found)
    for side in set(EXAM[:number]):
        weights = [sample.view_weight for sample in found if sample.laterality == side]
        assert sum(weights) == pytest.approx(1)


def test_exams_of_a_batch_do_not_see_each_other():
    model, feature = head(), torch.randn(6, 6)
    samples = [view('L', 'a'), view('R', 'a'), view('L', 'b'), view('L', 'a'), view('R', 'b'), view('R', 'b')]
    whole = scores(model, feature, samples)
    for exam in 'ab':
        own = [i for i, sample in enumerate(samples) if sample.exam_id == exam]
        torch.testing.assert_close(scores(model, feature[own], [samples[i] for i in own]), whole[own])


def test_copies_of_an_exam_are_told_apart_by_their_slots():
    samples = [view('L', exam_slot=0), view('L', exam_slot=1), view('L', exam_slot=0)]
    assert groups_of(samples, CPU)[0].tolist() == [0, 1, 0]


def test_images_of_unknown_side_are_breasts_of_their_own():
    breast, exam = groups_of([view('U'), view('L'), view('U'), view('L')], CPU)
    assert breast.tolist() == [0, 1, 2, 1] and exam.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize('mirrored', [(0,), (1, 2), (0, 1, 2, 3)])
def test_views_that_are_mirrored_one_by_one_stay_with_their_breast(mirrored):
    samples = []
    for number, side in enumerate('LLRR'):
        results = {'img': np.zeros((4, 6), np.float32), 'laterality': side, 'exam_id': 'e', 'gt_score': [0.0]}
        flipped = FlipView(prob=float(number in mirrored))(results)
        samples.append(PackView()(flipped)['data_samples'])
    assert [sample.laterality for sample in samples] != list('LLRR')
    assert groups_of(samples, CPU)[0].tolist() == [0, 0, 1, 1]


def test_the_other_breast_counts_only_with_context():
    feature, samples = torch.randn(4, 6), [view(side) for side in 'LLRR']
    changed = torch.cat([feature[:2], torch.randn(2, 6)])
    for context in (True, False):
        model = head(exam_context=context)
        same = torch.equal(scores(model, feature, samples)[:2], scores(model, changed, samples)[:2])
        assert same != context


def test_a_breast_counts_once_and_is_positive_if_an_image_is():
    model = head()
    nn.init.zeros_(model.classify.weight)
    nn.init.constant_(model.classify.bias, 2.0)
    samples = [view('L', positive=1), view('L'), view('L'), view('R')]
    loss = model.loss((torch.randn(4, 6),), samples)['loss_cls']
    probability = 1 / (1 + math.exp(-2))
    assert loss.item() == pytest.approx(-(math.log(probability) + math.log(1 - probability)) / 2)


def test_gradients_reach_every_view():
    feature = torch.randn(6, 6, requires_grad=True)
    head().loss((feature,), [view(side, positive=side == 'L') for side in EXAM])['loss_cls'].backward()
    assert (feature.grad.abs().sum(dim=1) > 0).all()


def test_images_without_an_exam_are_refused():
    with pytest.raises(MammoError, match='exam of image 0: found nothing'):
        head().predict((torch.randn(1, 6),), [DataSample()])
    with pytest.raises(MammoError, match='data_samples: found none'):
        head().predict((torch.randn(1, 6),))


PIPELINE = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='mmmammo.PackView'),
]


def classifier():
    return MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.459] * 3, std=[0.226] * 3),
            backbone=dict(type='mmmammo.GrayResNet', depth=18, stem_channels=8, base_channels=8, in_channels=3),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmmammo.AttentionPoolingHead', in_channels=64, hidden=8),
        )
    )


@pytest.fixture(scope='module')
def loader(tmp_path_factory):
    """Exams of five views, the first side with a repeated projection."""
    views = (('L', 'CC'), ('L', 'MLO'), ('L', 'MLO'), ('R', 'CC'), ('R', 'ML'))
    root = make_prepared_set(tmp_path_factory.mktemp('set'), size=(32, 32), views=views)
    dataset = dict(
        type='mmmammo.ExamClassificationDataset',
        data_root=str(root),
        ann_file='annotations/train.json',
        labels=['cancer'],
        task='multilabel',
        pipeline=PIPELINE,
    )
    with DefaultScope.overwrite_default_scope('mmdet'):
        return Runner.build_dataloader(
            dict(
                dataset=dataset,
                batch_size=2,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='mmmammo.exam_collate'),
            )
        )


def test_exams_of_five_views_train_and_are_scored(loader):
    model = classifier()
    batch = next(iter(loader))
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    losses['loss_cls'].backward()
    assert torch.isfinite(losses['loss_cls'])
    assert all(parameter.grad is not None for parameter in model.parameters())
    found = model.eval().test_step(next(iter(loader)))
    assert len(found) == 10 and len({float(sample.pred_score) for sample in found}) == 4


def test_a_data_set_of_exams_says_what_it_holds(loader):
    dataset = loader.dataset
    assert dataset.is_positive().tolist() == [True, False, True, False]
    assert [dataset.get_cat_ids(i) for i in range(2)] == [[0], []]
    assert repr(dataset).splitlines()[1:] == ['  5 views: 4 exams']
    assert 'multilabel, 4 exams; cancer 2' in repr(dataset)


class Left(BaseModel):
    """Scores an image by how bright its left half is."""

    def __init__(self, scored=True):
        super().__init__(BaseDataPreprocessor())
        self.scored = scored

    def forward(self, inputs, data_samples, mode='tensor'):
        images = torch.stack(list(inputs))
        values = images[..., : images.shape[-1] // 2].mean(dim=(1, 2, 3))
        if self.scored:
            for sample, value in zip(data_samples, values, strict=True):
                sample.set_pred_score(value[None])
        return data_samples


def test_scores_are_the_mean_over_image_and_mirror_image():
    images = [torch.rand(1, 4, 6) for _ in range(3)]
    samples = [view('L', img_id=number) for number in range(3)]
    found = FlipAverage(Left()).test_step({'inputs': images, 'data_samples': samples})
    for number, (sample, image) in enumerate(zip(found, images, strict=True)):
        assert float(sample.pred_score) == pytest.approx(float(image.mean())) and sample.img_id == number
    mirrored = FlipAverage(Left()).test_step({'inputs': [x.flip(-1) for x in images], 'data_samples': samples})
    torch.testing.assert_close(mirrored[0].pred_score, found[0].pred_score)


def test_whole_exams_are_mirrored_too(loader):
    model = classifier().eval()
    plain = torch.stack([sample.pred_score for sample in model.test_step(next(iter(loader)))])
    batch = next(iter(loader))
    flipped = model.test_step({**batch, 'inputs': [x.flip(-1) for x in batch['inputs']]})
    both = (plain + torch.stack([sample.pred_score for sample in flipped])) / 2
    found = FlipAverage(model).test_step(next(iter(loader)))
    torch.testing.assert_close(torch.stack([sample.pred_score for sample in found]), both)


def test_a_model_without_scores_is_refused():
    with pytest.raises(MammoError, match='FlipAverage: pred_score: found a model that gives no scores'):
        FlipAverage(Left(scored=False)).test_step({'inputs': [torch.rand(1, 4, 4)], 'data_samples': [view('L')]})
