"""FSDP on two processes without a GPU, by the command that a user types."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmdet.models.backbones.swin import SwinBlock
from mmengine.config import Config
from mmengine.registry import FUNCTIONS, STRATEGIES, init_default_scope
from torch import nn
from torch.nn.utils import clip_grad_value_

from mmmammo.apis.runs import for_testing, set_launcher
from mmmammo.engine.checkpoint import require_checkpoint_of
from mmmammo.engine.sharding import WholeNormFSDPStrategy, cpu_strategy
from mmmammo.registry import MODELS
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
ONE_STEP = """
import os
import sys

import torch
from torch import distributed, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from mmmammo.engine.sharding import WholeNormFSDPStrategy

distributed.init_process_group('gloo')
torch.manual_seed(0)
layers = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
images = torch.arange(6.0).reshape(2, 3)
alone = torch.autograd.grad(layers(images).square().sum(), list(layers.parameters()))
norm = torch.cat([gradient.flatten() for gradient in alone]).norm()
model = FullyShardedDataParallel(layers, device_id=torch.device('cpu'), use_orig_params=True)
cfg = {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 1.0}, 'clip_grad': {'max_norm': 0.1}}
wrapper = WholeNormFSDPStrategy.__new__(WholeNormFSDPStrategy).build_optim_wrapper(cfg, model)
before = torch.cat([p.detach().flatten() for p in model.parameters()])
wrapper.update_params(model(images).square().sum())
moved = torch.cat([p.detach().flatten() for p in model.parameters()]) - before
shards = [None, None]
distributed.all_gather_object(shards, moved.square().sum().item())
logged = wrapper.message_hub.get_scalar('train/grad_norm').current()
if distributed.get_rank() == 0:
    print('moved', sum(shards) ** 0.5, 'shard', shards[0] ** 0.5, 'norm', logged, 'alone', norm.item())
distributed.barrier()
sys.stdout.flush()
os._exit(0)  # torch's threads sometimes abort a process of gloo as it ends
"""
CONFIG = ROOT / 'configs' / 'ihrrb_dino' / 'ihrrb_dino_swinl_4scale_phantom_fsdp.py'


def test_a_config_names_the_policy():
    init_default_scope('mmdet')
    policy = FUNCTIONS.get(Config.fromfile(CONFIG).strategy.model_wrapper.auto_wrap_policy)
    assert policy(SwinBlock(8, 2, 16, window_size=2), False, 0)
    assert not policy(nn.Linear(2, 2), False, 0) and policy(nn.Linear(2, 2), True, 0)


def test_without_a_gpu_weights_are_copied_before_they_are_written():
    given = {'type': 'FSDPStrategy', 'state_dict_cfg': 'full', 'model_wrapper': {'use_orig_params': True}}
    found = cpu_strategy(given)
    assert found['model_wrapper'] == {'use_orig_params': True, 'device_id': 'cpu'}
    assert not found['state_dict_cfg']['state_dict_config'].get('offload_to_cpu', False)
    assert given['model_wrapper'] == {'use_orig_params': True}  # left as it was


def test_clipping_by_norm_asks_the_sharded_model():
    layer = nn.Linear(2, 1)
    layer.clip_grad_norm_ = lambda max_norm, norm_type: torch.tensor(max_norm * norm_type)
    strategy = WholeNormFSDPStrategy.__new__(WholeNormFSDPStrategy)
    sgd = {'type': 'SGD', 'lr': 1.0}
    norm = {'type': 'OptimWrapper', 'optimizer': sgd, 'clip_grad': {'max_norm': 0.5, 'norm_type': 4}}
    value = {'type': 'OptimWrapper', 'optimizer': sgd, 'clip_grad': {'type': 'value', 'clip_value': 0.5}}
    assert strategy.build_optim_wrapper(norm, layer).clip_func([], max_norm=0.5, norm_type=4) == 2
    assert strategy.build_optim_wrapper(value, layer).clip_func is clip_grad_value_  # needs no norm
    assert not hasattr(strategy.build_optim_wrapper({'optimizer': sgd}, layer), 'clip_func')


def test_the_config_clips_by_the_norm_of_all_processes():
    init_default_scope('mmdet')
    assert STRATEGIES.get(Config.fromfile(CONFIG).strategy.type) is WholeNormFSDPStrategy


@pytest.mark.slow
def test_the_shards_of_two_processes_are_clipped_as_one(tmp_path):
    script = tmp_path / 'one_step.py'
    script.write_text(ONE_STEP)
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', str(script)]
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': '', 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.split()
    moved, shard, norm, alone = (float(words[words.index(name) + 1]) for name in ('moved', 'shard', 'norm', 'alone'))
    assert norm == pytest.approx(alone, rel=1e-4)  # what is logged is the norm that one process would have
    assert moved == pytest.approx(0.1, rel=1e-3) and 0 < shard < 0.0999  # lr 1: the step is the clipped gradient


@pytest.mark.slow
def test_two_processes_train_in_shards_and_write_a_whole_checkpoint(tmp_path):
    data = make_prepared_set(tmp_path / 'set', {'train': 2, 'val': 1, 'test': 1}, size=(96, 72))
    options = {
        'model.bbox_head.num_classes': 2,  # those of the tiny set
        'model.num_queries': 20,
        'model.test_cfg.max_per_img': 10,
        'train_cfg.max_epochs': 1,
        'train_cfg.val_interval': 1,
        **{f'{split}_dataloader.dataset.data_root': data for split in ('train', 'val', 'test')},
        **{f'{split}_dataloader.num_workers': 0 for split in ('train', 'val')},
        **{f'{split}_dataloader.persistent_workers': False for split in ('train', 'val')},
    }
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    command += [str(ROOT / 'tools' / 'train.py'), str(CONFIG), '--work-dir', str(tmp_path), '--launcher', 'pytorch']
    command += ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': '', 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'atd/100:' in done.stdout + done.stderr  # it was evaluated, too
    cfg = for_testing(Config.fromfile(CONFIG))
    set_launcher(cfg, 'none')
    cfg.model.bbox_head.num_classes, cfg.model.num_queries = 2, 20
    require_checkpoint_of(MODELS.build(cfg.model), tmp_path / 'epoch_1.pth')
