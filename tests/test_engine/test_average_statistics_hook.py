"""Running statistics of batch norms under DDP: the mean over the processes, and the same in each."""

import os
import socket

import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from mmmammo.engine.hooks import AverageStatisticsHook


class Run:
    """What the hook reads of a runner."""

    def __init__(self, model):
        self.model = model


def normed():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3, track_running_stats=False))
    model.register_buffer('constant', torch.tensor([0.1, float('-inf')]))
    return model


def average(rank, port, folder):
    os.environ.update(
        RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)
    )
    torch.distributed.init_process_group('gloo')
    model = normed()
    model[1].running_mean[:] = torch.tensor([1.0, 2.0, 3.0]) * (rank + 1)
    model[1].running_var[:] = 4.0 + rank
    AverageStatisticsHook().after_train_epoch(Run(model))
    torch.save(model.state_dict(), f'{folder}/rank{rank}.pt')


@pytest.mark.slow
def test_processes_end_an_epoch_with_the_mean_of_their_statistics(tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(average, args=(port, str(tmp_path)), nprocs=2)
    for rank in (0, 1):
        state = torch.load(tmp_path / f'rank{rank}.pt')
        assert state['1.running_mean'].tolist() == [1.5, 3.0, 4.5]
        assert state['1.running_var'].tolist() == [4.5, 4.5, 4.5]
        assert torch.equal(state['constant'], torch.tensor([0.1, float('-inf')]))


def test_one_process_keeps_its_own():
    model = normed()
    model[1].running_mean[:] = 7.0
    AverageStatisticsHook().after_train_epoch(Run(model))
    assert model[1].running_mean.tolist() == [7.0] * 3
