"""What tools/train.py makes of its options."""

import argparse
import importlib.util
from pathlib import Path

import pytest
import torch

from mmmammo.apis.runs import load_config
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def complete():
    """A function that completes the config of the AG-RCNN twin by some options."""
    spec = importlib.util.spec_from_file_location('tool_train', ROOT / 'tools' / 'train.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    given = {'launcher': 'none', 'seed': None, 'amp': False, 'auto_scale_lr': False, 'resume': None}

    def _complete(**options):
        cfg = load_config(ROOT / 'configs' / 'agrcnn_phantom.py')
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
