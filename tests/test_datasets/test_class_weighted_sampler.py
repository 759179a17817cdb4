"""Rare classes come as often as frequent ones; epochs differ, ranks share, seeds repeat."""

import numpy as np
import pytest

from mmmammo.datasets.samplers import ClassWeightedSampler
from mmmammo.structures import MammoError


class Weighted(list):
    """Samples with weights."""

    def sample_weights(self):
        return np.array(self, dtype=float)


CLASSES = np.repeat([0, 1, 2], [900, 90, 10])
BALANCED = Weighted((1 / np.bincount(CLASSES))[CLASSES])


def test_classes_are_drawn_equally_often_within_the_binomial_error():
    length = 30000
    drawn = CLASSES[list(ClassWeightedSampler(BALANCED, length=length, seed=3))]
    deviation = np.sqrt(length * (1 / 3) * (2 / 3))
    assert (np.abs(np.bincount(drawn) - length / 3) < 4 * deviation).all()


def test_samples_of_weight_0_never_come():
    assert set(ClassWeightedSampler(Weighted([0, 1, 0, 2]), length=500, seed=0)) == {1, 3}


def test_an_epoch_is_as_long_as_the_dataset_or_as_asked():
    assert len(ClassWeightedSampler(BALANCED, seed=0)) == len(list(ClassWeightedSampler(BALANCED, seed=0))) == 1000
    assert len(ClassWeightedSampler(BALANCED, length=64, seed=0)) == 64


def test_seed_and_epoch_decide():
    first, again = ClassWeightedSampler(BALANCED, seed=5), ClassWeightedSampler(BALANCED, seed=5)
    assert list(first) == list(again)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_ranks_share_an_epoch(monkeypatch):
    whole = list(ClassWeightedSampler(BALANCED, length=10, seed=1))
    parts = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        parts.append(list(ClassWeightedSampler(BALANCED, length=10, seed=1)))
    assert [parts[i % 2][i // 2] for i in range(10)] == whole


@pytest.mark.parametrize('weights', [[0, 0], [1, -1], [1, float('nan')]])
def test_weights_that_make_no_sense(weights):
    with pytest.raises(MammoError, match='weights'):
        ClassWeightedSampler(Weighted(weights), seed=0)


def test_an_empty_epoch_is_refused():
    with pytest.raises(MammoError, match='length 0'):
        ClassWeightedSampler(BALANCED, length=0, seed=0)
