"""Lookahead around RAdam, against closed forms; the schedules of paper 2."""

import math
from io import BytesIO

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIMIZERS, PARAM_SCHEDULERS
from torch import nn

from mmmammo.engine.optimizers import LookaheadRAdam
from mmmammo.structures import MammoError

LR = 0.1


def steps(number, gradient=2.0, optimizer=None, weight=None, **options):
    """The weight after each step of a constant gradient, from 1."""
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64)) if weight is None else weight
    optimizer = LookaheadRAdam([weight], lr=LR, **options) if optimizer is None else optimizer
    seen = []
    for _ in range(number):
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
        seen.append(weight.item())
    return seen


def rectification(step, beta2=0.999):
    """Of Liu et al., eq. 4 and 5: ``None`` while the length of the approximated average is at most 5."""
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    if length <= 5:
        return None
    return math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))


def test_five_steps_are_momentum_and_the_sixth_is_rectified():
    assert [rectification(t) for t in range(1, 6)] == [None] * 5
    assert rectification(6) == pytest.approx(0.02582, abs=5e-6)
    seen = steps(6, gradient=2.0, eps=0.0)
    # a constant gradient is its own corrected mean, and its root of the corrected second moment
    literal = [1 - LR * 2.0 * t for t in range(1, 6)]
    assert seen[:5] == pytest.approx(literal)
    assert seen[5] == pytest.approx(literal[-1] - LR * rectification(6))


def test_the_first_sync_is_none_and_the_second_halves_the_way():
    fast = steps(12, alpha=1.0)  # which goes all the way: plain RAdam
    seen = steps(12, alpha=0.5)
    assert seen[:11] == pytest.approx(fast[:11])
    assert seen[11] == pytest.approx((fast[5] + fast[11]) / 2)


def test_a_resumed_run_goes_on_as_if_nothing_had_happened():
    whole = steps(15)
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = LookaheadRAdam([weight], lr=LR)
    first = steps(8, optimizer=optimizer, weight=weight)
    state = optimizer.state_dict()
    other = nn.Parameter(weight.detach().clone())
    resumed = LookaheadRAdam([other], lr=LR)
    resumed.load_state_dict(state)
    assert first + steps(7, optimizer=resumed, weight=other) == pytest.approx(whole)


@pytest.mark.parametrize('options', [dict(lr=-1.0), dict(alpha=1.5), dict(k=0), dict(weight_decay=-0.1)])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(MammoError, match='LookaheadRAdam'):
        LookaheadRAdam([nn.Parameter(torch.ones(1))], **options)


def schedule(config, epochs=12, length=10, resume_at=None):
    """The learning rate of every iteration as a runner steps it, and the one after; through a checkpoint on the way."""
    wrapper, built = parts_of(config, length)
    seen = []
    for step in range(epochs * length):
        if step == resume_at:
            content = BytesIO()
            torch.save({'optimizer': wrapper.state_dict(), 'schedule': built.state_dict()}, content)
            content.seek(0)
            loaded = torch.load(content, weights_only=True)
            wrapper, built = parts_of(config, length)
            wrapper.load_state_dict(loaded['optimizer'])
            built.load_state_dict(loaded['schedule'])
        seen.append(wrapper.get_lr()['lr'][0])
        wrapper.step()
        built.step()
    return seen, wrapper.get_lr()['lr'][0]


def parts_of(config, length):
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    wrapper = OptimWrapper(OPTIMIZERS.build(dict(type='mmmammo.LookaheadRAdam', params=[weight], lr=4e-4)))
    return wrapper, PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=wrapper, epoch_length=length))


def one_cycle(pct_start=0.3):
    return dict(
        type='mmmammo.OneCycleLR',
        eta_max=4e-4,
        total_steps=12,
        pct_start=pct_start,
        by_epoch=True,
        convert_to_iter_based=True,
    )


@pytest.mark.parametrize('pct_start', [0.3, 0.1])
def test_one_cycle(pct_start):
    seen, _ = schedule(one_cycle(pct_start))
    assert seen[0] == pytest.approx(4e-4 / 25)
    assert max(seen) == pytest.approx(4e-4) and seen.index(max(seen)) == round(pct_start * 120) - 1
    assert seen[-1] == pytest.approx(4e-4 / 25 / 1e4)


def test_a_cycle_goes_on_from_a_checkpoint_of_plain_data():
    assert schedule(one_cycle(), resume_at=50) == schedule(one_cycle())


def test_cosine_ends_at_zero():
    seen, last = schedule(
        dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=True, T_max=12, convert_to_iter_based=True)
    )
    literal = [4e-4 * (1 + math.cos(math.pi * i / 120)) / 2 for i in range(120)]
    assert seen == pytest.approx(literal, abs=1e-12)
    assert last == pytest.approx(0, abs=1e-12)
