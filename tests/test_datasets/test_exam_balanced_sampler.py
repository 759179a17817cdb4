"""Epochs with a set share of exams with findings."""

import numpy as np
import pytest
from mmengine.registry import DATA_SAMPLERS

from mmmammo.datasets.samplers import ExamBalancedSampler
from mmmammo.structures import MammoError


class FakeDataset:
    def __init__(self, flags):
        self.flags = np.array(flags, dtype=bool)

    def __len__(self):
        return len(self.flags)

    def has_findings(self):
        return self.flags


RARE = FakeDataset([True] * 3 + [False] * 17)


def epoch(sampler, number):
    sampler.set_epoch(number)
    return list(sampler)


@pytest.mark.parametrize(('fraction', 'expected'), [(0.5, 10), (0.25, 5), (0.9, 18)])
def test_share_of_positives(fraction, expected):
    indices = epoch(ExamBalancedSampler(RARE, fraction, seed=0), 0)
    assert len(indices) == 20
    assert sum(RARE.flags[i] for i in indices) == expected


def test_kinds_are_gone_through_evenly():
    indices = epoch(ExamBalancedSampler(RARE, 0.5, seed=0), 3)
    counts = np.bincount(indices, minlength=20)
    assert sorted(counts[:3]) == [3, 3, 4]
    assert counts[3:].max() == 1


def test_order_depends_on_seed_and_epoch_alone():
    first, resumed = (ExamBalancedSampler(RARE, seed=7) for _ in range(2))
    orders = [epoch(first, number) for number in range(3)]
    assert epoch(resumed, 2) == orders[2]
    assert orders[0] != orders[1]
    assert epoch(ExamBalancedSampler(RARE, seed=8), 0) != orders[0]


def test_ranks_share_one_epoch(monkeypatch):
    parts = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        parts.append(epoch(ExamBalancedSampler(RARE, seed=1), 0))
    monkeypatch.undo()
    whole = epoch(ExamBalancedSampler(RARE, seed=1), 0)
    assert [len(part) for part in parts] == [10, 10]
    assert sorted(parts[0] + parts[1]) == sorted(whole)


def test_built_by_name():
    sampler = DATA_SAMPLERS.build(dict(type='mmmammo.ExamBalancedSampler', dataset=RARE, seed=0))
    assert isinstance(sampler, ExamBalancedSampler)


@pytest.mark.parametrize('fraction', [0, 1, 1.2, -1])
def test_fraction_out_of_range(fraction):
    with pytest.raises(MammoError, match='positive_fraction'):
        ExamBalancedSampler(RARE, fraction, seed=0)


@pytest.mark.parametrize('flags', [[True, True], [False, False]])
def test_set_of_one_kind(flags):
    with pytest.raises(MammoError, match='DefaultSampler'):
        ExamBalancedSampler(FakeDataset(flags), seed=0)
