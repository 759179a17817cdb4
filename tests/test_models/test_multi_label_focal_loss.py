"""The focal loss of paper 1: formula, limits, torchvision's, and what it averages over."""

import math

import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from mmmammo.models import MultiLabelFocalLoss
from mmmammo.structures import MammoError


@pytest.fixture()
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 10, generator=generator, dtype=torch.float64) * 3
    return logits.requires_grad_(), (torch.rand(6, 10, generator=generator) < 0.2).double()


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0, 5.0])
def test_it_is_the_formula(batch, gamma):
    logits, targets = batch
    p = 1 / (1 + torch.exp(-logits))
    p_t = torch.where(targets > 0, p, 1 - p)
    expected = (-((1 - p_t) ** gamma) * torch.log(p_t)).mean()
    found = MultiLabelFocalLoss(gamma=gamma)(logits, targets)
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(loss, logits)[0] for loss in (found, expected))
    torch.testing.assert_close(ours, theirs)


def test_gamma_0_is_binary_cross_entropy(batch):
    expected = F.binary_cross_entropy_with_logits(*batch)
    torch.testing.assert_close(MultiLabelFocalLoss(gamma=0)(*batch), expected)


@pytest.mark.parametrize('gamma', [0.0, 1.0, 2.0])
@pytest.mark.parametrize('target', [0.0, 1.0])
def test_an_undecided_score_costs_half_to_gamma_times_log_2(gamma, target):
    loss = MultiLabelFocalLoss(gamma=gamma)(torch.zeros(1, 1), torch.full((1, 1), target))
    assert float(loss) == pytest.approx(0.5**gamma * math.log(2))


@pytest.mark.parametrize(('alpha', 'theirs'), [(None, -1), (0.25, 0.25)])
def test_it_is_that_of_torchvision(batch, alpha, theirs):
    expected = sigmoid_focal_loss(*batch, alpha=theirs, gamma=2, reduction='mean')
    torch.testing.assert_close(MultiLabelFocalLoss(gamma=2, alpha=alpha)(*batch), expected)


def test_another_number_of_samples_to_average_over(batch):
    loss = MultiLabelFocalLoss(loss_weight=3)
    torch.testing.assert_close(loss(*batch, avg_factor=12), loss(*batch) / 2)


def test_a_batch_without_any_label_has_a_loss(batch):
    logits, _ = batch
    loss = MultiLabelFocalLoss()(logits, torch.zeros_like(logits))
    loss.backward()
    assert torch.isfinite(loss) and (logits.grad > 0).all()  # every score is pushed down


@pytest.mark.parametrize('options', [{'gamma': -1}, {'alpha': 1.5}])
def test_numbers_that_make_no_sense(options):
    with pytest.raises(MammoError, match='gamma, alpha'):
        MultiLabelFocalLoss(**options)
