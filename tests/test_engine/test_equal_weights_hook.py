from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from mmmammo.engine.hooks import equal_weights_hook
from mmmammo.engine.hooks.equal_weights_hook import EqualWeightsHook, checksum


def test_checksum_of_hand_computable_weights():
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, 3.0]]))
        model.bias.fill_(4.0)
    assert checksum(model).tolist() == [9.0, 2 + 2 * 3 + 4]


@pytest.mark.parametrize('other', [0.0, 1e-7])
def test_different_weights_stop_the_run(monkeypatch, other):
    model = nn.Linear(3, 2)
    runner = SimpleNamespace(model=model, epoch=0, logger=MMLogger.get_current_instance())
    monkeypatch.setattr(equal_weights_hook, 'get_world_size', lambda: 2)
    monkeypatch.setattr(equal_weights_hook, 'all_gather', lambda mine: [mine, mine + other])
    if other:
        with pytest.raises(RuntimeError, match='epoch 1: the processes hold different weights'):
            EqualWeightsHook().after_train_epoch(runner)
    else:
        assert EqualWeightsHook().after_train_epoch(runner) is None


@pytest.mark.parametrize('weight', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_told_as_such(monkeypatch, weight):
    model = nn.Linear(3, 2)
    nn.init.constant_(model.bias, weight)
    runner = SimpleNamespace(model=model, epoch=0, logger=MMLogger.get_current_instance())
    monkeypatch.setattr(equal_weights_hook, 'get_world_size', lambda: 2)
    monkeypatch.setattr(equal_weights_hook, 'all_gather', lambda mine: [mine, mine])
    with pytest.raises(RuntimeError, match='epoch 1: the weights are not finite'):
        EqualWeightsHook().after_train_epoch(runner)
