"""FSDP on two processes without a GPU, by the command that a user types."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmdet.models.backbones.swin import SwinBlock
from mmengine.config import Config
from mmengine.registry import FUNCTIONS, init_default_scope
from torch import nn

from mmmammo.apis.runs import for_testing, set_launcher
from mmmammo.engine.checkpoint import require_checkpoint_of
from mmmammo.engine.sharding import cpu_strategy
from mmmammo.registry import MODELS
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
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
