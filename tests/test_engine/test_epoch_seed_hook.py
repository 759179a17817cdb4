"""Random numbers by epoch, in a real, miniature run that is stopped and resumed."""

import contextlib
import random

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmmammo.engine.hooks import EpochSeedHook
from mmmammo.engine.hooks.epoch_seed_hook import epoch_seed
from mmmammo.structures import MammoError


class Noisy(Dataset):
    """Samples that are augmented by every kind of generator."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        noise = [np.random.rand(), random.random(), float(torch.rand(()))]
        return {'inputs': torch.tensor([index, *noise], dtype=torch.float32)}


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs, mode='tensor'):
        return {'loss': (self.layers(torch.stack(inputs)) - 1).square().mean()}


class Watch(Hook):
    """The batches of every epoch, and a halt after one."""

    def __init__(self, stop_after):
        self.stop_after = stop_after
        self.seen = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.setdefault(runner.epoch, []).extend(x.tolist() for x in data_batch['inputs'])

    def before_train_epoch(self, runner):
        if runner.epoch == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def train(tmp_path):
    """A function that trains 3 epochs and returns the weights, and the batches by epoch."""

    def _train(name, stop_after=None, resume=False, workers=0, hooks=None, seed=3, **loader):
        torch.manual_seed(0)
        watch = Watch(stop_after)
        sampler = dict(type='DefaultSampler', shuffle=True)
        runner = Runner(
            model=Toy(),
            work_dir=str(tmp_path / name),
            train_dataloader=dict(dataset=Noisy(), batch_size=4, num_workers=workers, sampler=sampler, **loader),
            train_cfg=dict(by_epoch=True, max_epochs=3),
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            custom_hooks=[*([EpochSeedHook()] if hooks is None else hooks), watch],
            randomness=dict(seed=seed),
            resume=resume,
            experiment_name=f'{tmp_path.name}{name}{resume}',
            default_scope='mmengine',
        )
        with contextlib.suppress(KeyboardInterrupt):
            runner.train()
        return [p.detach().clone() for p in runner.model.parameters()], watch.seen

    return _train


@pytest.mark.parametrize('workers', [0, 2])
def test_a_resumed_training_is_the_one_that_was_interrupted(train, workers):
    whole, seen = train('whole', workers=workers)
    train('halves', stop_after=2, workers=workers)
    resumed, after = train('halves', resume=True, workers=workers)
    assert after == {2: seen[2]}
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


def test_without_the_hook_it_is_another(train):
    whole, _ = train('whole', hooks=[])
    train('halves', stop_after=2, hooks=[])
    resumed, _ = train('halves', resume=True, hooks=[])
    assert not all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


@pytest.mark.parametrize('workers', [0, 2])
def test_no_two_epochs_or_samples_are_alike(train, workers):
    _, seen = train('run', workers=workers)
    noise = [tuple(sample[1:]) for epoch in seen.values() for sample in epoch]
    assert len(noise) == 24 and len(set(noise)) == 24
    assert len({value for triple in noise for value in triple}) == 72


def test_seeds_differ_by_run_epoch_and_process():
    seeds = {epoch_seed(seed, epoch, rank) for seed in range(5) for epoch in range(20) for rank in range(4)}
    assert len(seeds) == 400 and all(0 <= seed < 2**32 for seed in seeds)


def test_workers_that_live_on_are_refused(train):
    with pytest.raises(MammoError, match=r'EpochSeedHook: train_dataloader\.persistent_workers: found True'):
        train('run', workers=1, persistent_workers=True)
