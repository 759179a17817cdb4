"""Modes side by side on the views of a test set."""

import copy
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.apis.sliding_modes import compare_modes
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError
from mmmammo.testing.cohort_set import make_cohort_set

ROOT = Path(__file__).resolve().parents[2]
DENSE = ROOT / 'configs' / 'patch' / 'patch_resnet50_phantom.py'
CONTEXT = ROOT / 'configs' / 'patch' / 'patch_vgg19_phantom_context.py'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Views of 96 x 72 pixels, where the twins look for theirs."""
    root = tmp_path_factory.mktemp('modes')
    make_cohort_set(root / 'data' / 'phantom_patches', (1, 1, 2), size=(96, 72))
    return root


@pytest.fixture
def checkpoint(folder, monkeypatch):
    """Of a config, before any training."""
    monkeypatch.chdir(folder)

    def _checkpoint(config):
        cfg = Config.fromfile(config)
        init_default_scope(cfg.default_scope)
        torch.manual_seed(0)
        path = folder / f'{config.stem}.pth'
        torch.save({'state_dict': MODELS.build(copy.deepcopy(cfg.model)).state_dict()}, path)
        return path

    return _checkpoint


@pytest.mark.parametrize(('config', 'mode', 'context'), [(DENSE, 'dense', 0), (CONTEXT, 'context', 64)])
def test_all_windows_of_the_breast_are_compared(checkpoint, config, mode, context):
    exact, quick = compare_modes(config, checkpoint(config), views=2)
    assert (exact.mode, exact.agreement, quick.mode) == ('exact', None, mode)
    assert (exact.context, quick.context, exact.views) == (context, context, 2)
    assert exact.seconds > 0 < quick.seconds
    assert 2 <= quick.agreement.windows <= 2 * 4  # two rows and columns of windows
    if mode == 'context':
        assert quick.agreement.greatest_difference < 1e-5
    else:
        assert quick.agreement.greatest_difference > 1e-5


def test_other_configs_and_no_view_are_refused(checkpoint):
    with pytest.raises(MammoError, match=r'window, context, fusion: found nothing.*patch classifier'):
        compare_modes(ROOT / 'configs' / 'maskrcnn_phantom.py', 'any.pth')
    with pytest.raises(MammoError, match='views: found 0'):
        compare_modes(DENSE, checkpoint(DENSE), views=0)


def test_the_command_prints_a_row_per_mode(checkpoint, monkeypatch, capsys):
    path = ROOT / 'tools' / 'analysis' / 'compare_sliding.py'
    spec = importlib.util.spec_from_file_location('compare_sliding', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    (Path('data/phantom_patches') / 'prepare.json').write_text('{}')  # else it would be made
    monkeypatch.setattr(tool, 'keep_freed_memory', lambda: True)  # which holds for the whole process
    monkeypatch.setattr(sys, 'argv', ['compare_sliding.py', str(DENSE), str(checkpoint(DENSE)), '--views', '1'])
    monkeypatch.setenv('COLUMNS', '160')
    assert tool.main() == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if 'patch_resnet50_phantom' in line]
    assert ['exact' in row for row in rows] == [True, False] and 'dense' in rows[1]
    assert np.isclose(float(rows[0][rows[0].index('exact') + 4].rstrip('x')), 1)
