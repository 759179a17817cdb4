"""The head of NYU's single-image model."""

import math

import pytest
import torch
from mmpretrain.structures import DataSample

from mmmammo.models import SingleViewHead


def test_scores_and_loss_are_the_literal_ones():
    torch.manual_seed(0)
    head, feature = SingleViewHead(in_channels=6, hidden_channels=4), torch.rand(3, 6)
    first, _, last = head.layers
    logs = last(torch.relu(first(feature))).reshape(3, 2, 2).log_softmax(dim=-1)
    samples = [DataSample().set_gt_score(torch.tensor(s)) for s in ([1.0, 0.0], [math.nan, 1.0], [0.0, math.nan])]
    expected = -torch.stack([logs[0, 0, 1], logs[0, 1, 0], logs[1, 1, 1], logs[2, 0, 0]]).mean()
    torch.testing.assert_close(head.loss((feature,), samples)['loss_cls'], expected)
    for sample, of_image in zip(head.predict((feature,)), logs, strict=True):
        torch.testing.assert_close(sample.pred_score, of_image[:, 1].exp())


def test_a_sample_without_label_is_told():
    with pytest.raises(ValueError, match='gt_score: found nothing'):
        SingleViewHead(in_channels=6).loss((torch.rand(1, 6),), [DataSample()])
