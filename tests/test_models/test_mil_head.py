"""Gated attention over the images of an exam."""

import math

import pytest
import torch
from mmpretrain.structures import DataSample

from mmmammo.models import MILHead


def sample(exam, side='L', view='CC', label=0.0):
    meta = {'exam_id': exam, 'exam_slot': exam, 'laterality': side, 'view': view}
    return DataSample(metainfo=meta).set_gt_score(torch.tensor([label]))


def head(**kwargs):
    torch.manual_seed(0)
    return MILHead(in_channels=6, hidden=4, **kwargs).eval()


def test_the_score_is_that_of_the_gated_mean():
    model, features = head(), torch.rand(3, 6)
    samples = model.predict((features,), [sample(0), sample(0, 'R'), sample(0, 'R', 'XCCL')])
    pooling = model.breast_pooling
    logits = pooling.weight(torch.tanh(pooling.value(features)) * torch.sigmoid(pooling.gate(features)))[:, 0]
    weights = logits.softmax(0)
    score = torch.sigmoid(model.classify(weights @ features))
    for one, weight in zip(samples, weights.tolist(), strict=True):
        torch.testing.assert_close(one.pred_score, score.detach())
        assert one.view_weight == pytest.approx(weight)


def test_exams_of_any_size_do_not_touch_each_other():
    model, features = head(), torch.rand(7, 6)
    exams = [0, 1, 0, 2, 1, 0, 1]
    together = model.predict((features,), [sample(exam) for exam in exams])
    for exam in range(3):
        rows = [i for i, e in enumerate(exams) if e == exam]
        alone = model.predict((features[rows],), [sample(exam) for _ in rows])
        for row, one in zip(rows, alone, strict=True):
            torch.testing.assert_close(together[row].pred_score, one.pred_score)
        assert math.fsum(together[row].view_weight for row in rows) == pytest.approx(1)


def test_an_exam_counts_once_and_one_positive_image_makes_it():
    model, features = head(), torch.rand(5, 6)
    samples = [sample(0), sample(0, 'R', label=1.0), sample(1), sample(1), sample(1)]
    logits, exam, _ = model((features,), samples)
    assert exam.tolist() == [0, 0, 1, 1, 1] and logits.shape == (2, 1)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([[1.0], [0.0]]))
    torch.testing.assert_close(model.loss((features,), samples)['loss_cls'], expected)


def test_a_mirrored_exam_has_the_same_score():
    model, features = head(), torch.rand(4, 6)
    sides = ['L', 'L', 'R', 'R']
    one = model.predict((features,), [sample(0, side) for side in sides])
    other = model.predict((features.flip(0),), [sample(0, side) for side in sides])
    torch.testing.assert_close(one[0].pred_score, other[0].pred_score)
    assert one[0].view_weight == pytest.approx(other[3].view_weight)


def test_the_plain_attention_has_no_gate():
    assert head(gated=False).breast_pooling.gate is None
    with pytest.raises(ValueError, match='exam of image 0'):
        head()((torch.rand(1, 6),), [DataSample()])
