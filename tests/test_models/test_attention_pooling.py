"""Attention pooling: the equations, sets of any size, order, and members that are not there."""

import math

import pytest
import torch

from mmmammo.models.layers import AttentionPooling, grouped_softmax
from mmmammo.structures import MammoError


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def literal(layer, members):
    """Equations 8 and 9 of Ilse et al., member by member."""
    scores = []
    for h in members:
        hidden = torch.tanh(layer.value.weight @ h + layer.value.bias)
        if layer.gate is not None:
            hidden = hidden * torch.sigmoid(layer.gate.weight @ h + layer.gate.bias)
        scores.append((layer.weight.weight[0] @ hidden).item())
    total = sum(math.exp(score) for score in scores)
    weights = [math.exp(score) / total for score in scores]
    return sum(a * h for a, h in zip(weights, members, strict=True)), weights


@pytest.mark.parametrize('gated', [False, True])
def test_pools_as_the_equations_say(gated):
    layer = AttentionPooling(5, hidden=3, gated=gated)
    members = torch.randn(7, 5)
    group = torch.tensor([0, 1, 0, 2, 1, 0, 1])
    pooled, weights = layer(members, group, 3)
    for number in range(3):
        expected, shares = literal(layer, members[group == number])
        torch.testing.assert_close(pooled[number], expected)
        torch.testing.assert_close(weights[group == number], torch.tensor(shares))


def test_order_has_no_influence():
    layer = AttentionPooling(4, hidden=3)
    members, group = torch.randn(6, 4), torch.tensor([0, 0, 0, 1, 1, 1])
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    torch.testing.assert_close(layer(members[order], group[order], 2)[0], layer(members, group, 2)[0])


@pytest.mark.parametrize('absent', [0.0, float('nan'), 1e30])
def test_an_absent_member_is_as_if_left_out(absent):
    layer = AttentionPooling(4, hidden=3, gated=True)
    members, group = torch.randn(5, 4), torch.tensor([0, 0, 1, 1, 1])
    present = torch.tensor([True, False, True, True, False])
    filled = torch.where(present[:, None], members, absent).requires_grad_()
    pooled, weights = layer(filled, group, 2, present)
    torch.testing.assert_close(pooled, layer(members[present], group[present], 2)[0])
    assert weights[~present].tolist() == [0, 0]
    pooled.sum().backward()
    assert (filled.grad[~present] == 0).all() and torch.isfinite(filled.grad).all()


def test_one_member_is_itself_and_an_empty_set_is_zero():
    layer = AttentionPooling(3)
    member = torch.randn(1, 3)
    pooled, weights = layer(member, torch.tensor([1]), 3)
    torch.testing.assert_close(pooled, torch.stack([torch.zeros(3), member[0], torch.zeros(3)]))
    assert weights.tolist() == [1]
    nobody, _ = layer(member, torch.tensor([0]), 1, torch.tensor([False]))
    assert nobody.tolist() == [[0, 0, 0]]


def test_large_logits_do_not_overflow():
    weights = grouped_softmax(torch.tensor([1e4, 1e4, -1e4, 3.0]), torch.tensor([0, 0, 0, 1]), 2)
    assert weights.tolist() == [0.5, 0.5, 0, 1]
    half = grouped_softmax(torch.tensor([1.0, 2.0], dtype=torch.float16), torch.zeros(2, dtype=torch.int64), 1)
    assert half.dtype == torch.float32 and float(half.sum()) == pytest.approx(1)


def test_gradients_are_those_of_the_function():
    layer = AttentionPooling(3, hidden=2, gated=True).double()
    members = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    group = torch.tensor([0, 1, 0, 1, 1])
    assert torch.autograd.gradcheck(lambda x: layer(x, group, 2)[0], members)


@pytest.mark.parametrize('wrong', [{'channels': 0}, {'hidden': 0}, {'dropout': 1.0}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(MammoError, match='AttentionPooling: channels, hidden, dropout: found'):
        AttentionPooling(**{'channels': 4} | wrong)
