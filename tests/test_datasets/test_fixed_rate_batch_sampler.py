"""Batches with a fixed number of positives, and epochs balanced by label."""

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import Runner

from mmmammo.datasets import ViewClassificationDataset
from mmmammo.datasets.samplers import ExamBalancedSampler, FixedRateBatchSampler
from mmmammo.structures import MammoError


class Screening:
    """Three cancers among 43 images."""

    metainfo = {}

    def __init__(self, flags=(True,) * 3 + (False,) * 40):
        self.flags = np.array(flags)

    def __len__(self):
        return len(self.flags)

    def __getitem__(self, index):
        return index

    def is_positive(self):
        return self.flags


def batches(rate=0.25, size=8, flags=None, epoch=0):
    data = Screening() if flags is None else Screening(flags)
    sampler = DefaultSampler(data, seed=0)
    sampler.set_epoch(epoch)
    return data, list(FixedRateBatchSampler(sampler, size, positive_rate=rate))


@pytest.mark.parametrize(('rate', 'positives'), [(0.25, 2), (0.5, 4), (0.01, 1), (0.99, 7)])
def test_every_batch_has_its_positives(rate, positives):
    data, found = batches(rate)
    assert {len(batch) for batch in found} == {8}
    assert {int(data.flags[batch].sum()) for batch in found} == {positives}


def test_an_epoch_sees_every_negative_once_and_positives_evenly():
    data, found = batches(0.375)
    assert len(found) == 8  # 40 negatives, 5 a batch
    counts = np.bincount(np.concatenate(found), minlength=43)
    assert (counts[3:] == 1).all() and counts[:3].tolist() == [8, 8, 8]


def test_epochs_differ_and_repeat_with_their_number():
    assert batches(epoch=0)[1] == batches(epoch=0)[1] != batches(epoch=1)[1]


@pytest.mark.parametrize('arguments', [dict(rate=0.0), dict(rate=1.0), dict(size=1)])
def test_impossible_rates_are_refused(arguments):
    with pytest.raises(MammoError, match='a rate between 0 and 1'):
        batches(**arguments)


@pytest.mark.parametrize('flags', [[False] * 10, [True] * 10])
def test_a_set_of_one_kind_is_refused(flags):
    with pytest.raises(MammoError, match=r'some of each.*leave the batch_sampler out'):
        batches(flags=flags)
    with pytest.raises(MammoError, match='without the label'):
        ExamBalancedSampler(Screening(flags), by='label')


def test_the_runner_builds_it_and_sets_its_epoch():
    loader = Runner.build_dataloader(
        dict(
            batch_size=8,
            num_workers=0,
            dataset=Screening(),
            sampler=dict(type='DefaultSampler', shuffle=True),
            batch_sampler=dict(type='mmmammo.FixedRateBatchSampler', positive_rate=0.25),
        ),
        seed=0,
    )
    first = list(loader)
    loader.batch_sampler.sampler.set_epoch(1)
    assert first != list(loader) and len(first) == len(loader) == 7


def test_an_epoch_is_balanced_by_label():
    build = dict(type='mmmammo.ExamBalancedSampler', dataset=Screening(), positive_fraction=0.5, seed=0, by='label')
    indices = list(DATA_SAMPLERS.build(build))
    assert Screening().flags[indices].sum() == round(43 / 2)


@pytest.mark.parametrize('by', ['label', 'cancer'])
def test_what_a_data_set_cannot_tell_is_refused(by):
    with pytest.raises(MammoError, match='ViewClassificationDataset'):
        ExamBalancedSampler([1, 2, 3], by=by)


@pytest.mark.parametrize('options', [dict(labels='cancer'), dict(labels=['cancer'], task='multilabel')])
def test_positives_of_a_prepared_set(prepared_root, options):
    data = ViewClassificationDataset('annotations/train.json', data_root=str(prepared_root), **options)
    truth = [bool(record['labels']['cancer']) for record in data.iter_images()]
    assert data.is_positive().tolist() == truth and any(truth) and not all(truth)
