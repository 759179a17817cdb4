"""Stages under DDP: two processes with different data end with equal weights."""

import os
import socket

import pytest
import torch
import torch.multiprocessing as mp
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmmammo.engine.hooks import StagedTrainingHook


class TwoParts(BaseModel):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)
        self.head = nn.Linear(3, 1)

    def forward(self, inputs, mode='tensor'):
        return {'loss': (self.head(self.body(torch.stack(inputs))) - 1).square().mean()}


def train(rank, port, work_dir):
    os.environ.update(
        RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)
    )
    torch.distributed.init_process_group('gloo')  # the launcher would want a GPU
    torch.set_num_threads(1)
    stages = [
        {'name': 'head', 'epochs': 1, 'trainable': ['head'], 'lr': 0.1},
        {'name': 'body', 'epochs': 1, 'trainable': ['body'], 'lr': 0.1},
    ]
    generator = torch.Generator().manual_seed(0)
    runner = Runner(
        model=TwoParts(),
        work_dir=work_dir,
        train_dataloader={
            'dataset': [{'inputs': x} for x in torch.randn(8, 3, generator=generator)],
            'batch_size': 2,
            'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        },
        train_cfg={'by_epoch': True, 'max_epochs': 2},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 1.0}},
        custom_hooks=[StagedTrainingHook(stages)],
        cfg={
            'model_wrapper_cfg': {
                'type': 'MMDistributedDataParallel',
                'find_unused_parameters': True,
                'device_ids': None,
            }
        },
        launcher='pytorch',
        randomness={'seed': 0},
        default_scope='mmengine',
        experiment_name=f'ddp{port}',
    )
    before = {name: value.clone() for name, value in runner.model.module.state_dict().items()}
    runner.train()
    torch.save((before, runner.model.module.state_dict()), f'{work_dir}/rank{rank}.pt')


@pytest.mark.slow
def test_ranks_hold_equal_weights_in_which_both_stages_left_their_mark(tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.spawn(train, args=(port, str(tmp_path)), nprocs=2)
    (before, first), (_, second) = (torch.load(tmp_path / f'rank{rank}.pt') for rank in (0, 1))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
        assert not torch.equal(value, before[name]), name
