"""Random numbers that follow from the epoch, so that a resumed training is the one that was interrupted."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmmammo.registry import HOOKS
from mmmammo.structures import MammoError


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seeds Python, NumPy and torch at the start of every training epoch from (seed of the run, epoch, process).

    mmengine seeds once, when a run starts: what is resumed draws the numbers of the first epoch again. With this hook,
    and weights, optimizer and schedules from the checkpoint, an epoch is the same whether or not the run was
    interrupted before it. Data loader workers are seeded alike; they have to be started anew in every epoch.

    A schedule that steps on the validation result (``ReduceOnPlateauLR``) does so after the checkpoint was written: the
    step of the last epoch before an interruption is lost.

    Raises:
        MammoError: If the run has no seed, or its training workers live longer than an epoch.
    """

    def before_train(self, runner: Runner) -> None:
        """Look whether the run can be seeded."""
        loader = runner.train_dataloader
        if loader.num_workers and loader.persistent_workers:
            raise _error('train_dataloader.persistent_workers', 'True', 'False: workers keep their random state')
        if runner.seed is None:
            raise _error('randomness.seed', 'nothing', 'a whole number')

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and what the workers of this epoch are seeded with."""
        seed = epoch_seed(runner.seed, runner.epoch, get_rank())
        seed_all(seed)
        runner.train_dataloader.worker_init_fn = partial(seed_worker, seed=seed)


def epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """A seed below 2^32 that differs for any two epochs and processes."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1)[0])


def seed_worker(worker: int, seed: int) -> None:
    """Seed a data loader worker.

    Args:
        worker: Its number, from 0.
        seed: Of the process that starts it.
    """
    seed_all(int(np.random.SeedSequence([seed, 1 + worker]).generate_state(1)[0]))


def seed_all(seed: int) -> None:
    """Seed every global generator, those of the GPUs included."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _error(field: str, found: str, expected: str) -> MammoError:
    return MammoError('EpochSeedHook', field=field, found=found, expected=expected, remedy='set it in the config')
