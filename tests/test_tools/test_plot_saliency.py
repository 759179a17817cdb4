"""tools/analysis/plot_saliency.py: whose images it names."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.registry import MODELS
from mmmammo.testing.cohort_set import make_cohort_set

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'attention_phantom.py'


@pytest.mark.parametrize(('options', 'name'), [([], 'Exam 1'), (['--show-exam-ids'], 'test_000')])
def test_exams_have_running_numbers_unless_ids_are_asked_for(monkeypatch, tmp_path, options, name):
    root = make_cohort_set(tmp_path / 'set', (1, 1, 1), size=(64, 48))
    init_default_scope('mmdet')
    torch.save({'state_dict': MODELS.build(Config.fromfile(CONFIG).model).state_dict()}, tmp_path / 'c.pth')
    data = [f'{split}_dataloader.dataset.data_root={root}' for split in ('train', 'val', 'test')]
    spec = importlib.util.spec_from_file_location('tool_saliency', ROOT / 'tools' / 'analysis' / 'plot_saliency.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    arguments = [CONFIG, tmp_path / 'c.pth', '--images', 2, *options, '--out', tmp_path, '--cfg-options', *data]
    monkeypatch.setattr(sys, 'argv', ['plot_saliency', *map(str, arguments)])
    assert tool.main() == 0
    titles = re.findall(r'<!-- (.*?): [01]\.', (tmp_path / 'saliency.svg').read_text())  # glyphs are named in comments
    assert titles == [f'{name} L CC', f'{name} R CC']
