"""What tools/train.py makes of its options."""

import argparse
import importlib.util
from pathlib import Path

import pytest
import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper

from mmmammo.apis.runs import load_config
from mmmammo.engine.optimizers import BFloat16OptimWrapper, LookaheadRAdam
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def complete():
    """A function that completes the config of the AG-RCNN twin by some options."""
    spec = importlib.util.spec_from_file_location('tool_train', ROOT / 'tools' / 'train.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    given = {'launcher': 'none', 'seed': None, 'amp': False, 'auto_scale_lr': False, 'resume': None}

    def _complete(config='agrcnn_phantom.py', cfg_options=None, **options):
        cfg = load_config(ROOT / 'configs' / config, options=cfg_options)
        return tool.complete(cfg, argparse.Namespace(**{**given, **options}))

    return _complete


def test_options_reach_the_config(complete):
    cfg = complete(seed=7, auto_scale_lr=True, resume='a.pth')
    assert (cfg.randomness.seed, cfg.auto_scale_lr.enable, cfg.resume, cfg.load_from) == (7, True, True, 'a.pth')


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
