"""What tools/train.py makes of its options."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper

from mmmammo.apis.runs import load_config
from mmmammo.engine.optimizers import BFloat16OptimWrapper, LookaheadRAdam
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
NO_WORKERS = ('num_workers=0', 'persistent_workers=False')


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location('tool_train', ROOT / 'tools' / 'train.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.fixture
def complete(tool):
    """A function that completes the config of the AG-RCNN twin by some options."""
    given = {'launcher': 'none', 'seed': None, 'amp': False, 'auto_scale_lr': False, 'resume': None}

    def _complete(config='agrcnn_phantom.py', cfg_options=None, **options):
        cfg = load_config(ROOT / 'configs' / config, options=cfg_options)
        return tool.complete(cfg, argparse.Namespace(**{**given, **options}))

    return _complete


def test_options_reach_the_config(complete):
    cfg = complete(seed=7, auto_scale_lr=True, resume='a.pth')
    assert (cfg.randomness.seed, cfg.auto_scale_lr.enable, cfg.resume, cfg.load_from) == (7, True, True, 'a.pth')


@pytest.mark.parametrize('given', [{}, {'resume': 'auto'}, {'cfg_options': {'model.holistic': 'h.pth'}}], ids=str)
def test_an_attention_model_without_a_place_to_look_is_refused(tool, complete, given):
    cfg = complete('attention_cohort.py', **given)
    if given:
        tool.require_beginning(cfg)
        return
    with pytest.raises(MammoError, match=r'model\.holistic: found None.*train configs/holistic_cohort\.py, then'):
        tool.require_beginning(cfg)


def test_mixed_precision_without_a_gpu_is_refused(complete, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(MammoError, match='--amp: device: found no GPU'):
        complete(amp=True)


def test_mixed_precision_with_a_gpu(complete, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert complete(amp=True).optim_wrapper.type == 'AmpOptimWrapper'


def test_a_config_of_mixed_precision_without_a_gpu_says_how_to_do_without(complete, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    config = 'rsna/baseline_effnetb4_rsna.py'
    with pytest.raises(MammoError, match=r'found no GPU.*--cfg-options optim_wrapper\.type=OptimWrapper'):
        complete(config)
    cfg = complete(config, {'optim_wrapper.type': 'OptimWrapper'})
    wrapper = build_optim_wrapper(torch.nn.Linear(2, 1), cfg.optim_wrapper)
    assert type(wrapper) is OptimWrapper and type(wrapper.optimizer) is LookaheadRAdam


def test_bfloat16_by_the_wrapper_of_the_gpu_names_the_one_that_needs_none(complete, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    config = 'ihrrb_dino_r50_4scale_phantom.py'
    with pytest.raises(MammoError, match=r'found no GPU.*optim_wrapper\.type=mmmammo\.BFloat16OptimWrapper'):
        complete(config, {'optim_wrapper.type': 'AmpOptimWrapper', 'optim_wrapper.dtype': 'bfloat16'})
    wanted = complete(config, {'optim_wrapper.type': 'mmmammo.BFloat16OptimWrapper'}).optim_wrapper
    assert type(build_optim_wrapper(torch.nn.Linear(2, 1), wanted)) is BFloat16OptimWrapper


def test_a_set_without_boxes_is_refused_before_the_first_step(tool, tmp_path, monkeypatch):
    data = make_prepared_set(tmp_path / 'set', {'train': 1, 'val': 1, 'test': 1}, size=(64, 48))
    index = data / 'annotations' / 'train.json'
    index.write_text(json.dumps(json.loads(index.read_text()) | {'annotations': []}))
    options = [f'{split}_dataloader.dataset.data_root={data}' for split in ('train', 'val')]
    options += [f'{split}_dataloader.{key}' for split in ('train', 'val') for key in NO_WORKERS]
    config = str(ROOT / 'configs' / 'ihrrb_dino_r50_4scale_phantom.py')
    options += ['model.bbox_head.num_classes=2', 'inputs=[]']
    monkeypatch.setattr(sys, 'argv', ['train.py', config, '--work-dir', str(tmp_path), '--cfg-options', *options])
    with pytest.raises(MammoError, match=r'annotations: found no box in 4 samples'):
        tool.main()
    assert not list(tmp_path.glob('*.pth'))
