"""tools/infer.py on a classifier."""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmmammo.apis.runs import for_testing
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'holistic_phantom.py'


@pytest.fixture
def infer(monkeypatch, tmp_path):
    """Run the command with random weights on one exam and a file that is none."""
    cfg = for_testing(Config.fromfile(CONFIG))
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    meta = {'dataset_meta': {'classes': ('no cancer', 'cancer')}}
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict(), 'meta': meta}, tmp_path / 'epoch_1.pth')
    exams = tmp_path / 'exams'
    (exams / 'exam0').mkdir(parents=True)
    for view in make_exam(PhantomConfig(height=256), seed=1, index=0).views:
        cv2.imwrite(str(exams / 'exam0' / f'{view.name}.png'), (view.image * 65535).astype(np.uint16))
    (exams / 'exam0' / 'R_ML.dcm').write_bytes(b'no DICOM')
    (tmp_path / 'prepare.json').write_text(json.dumps({'options': {'crop': False}}))

    def run(*options):
        spec = importlib.util.spec_from_file_location('tool_infer', ROOT / 'tools' / 'infer.py')
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        arguments = [str(CONFIG), str(tmp_path / 'epoch_1.pth'), str(exams), '--out', str(tmp_path / 'out'), *options]
        monkeypatch.setattr(sys, 'argv', ['tools/infer.py', *arguments, '--device', 'cpu'])
        assert tool.main() == 0
        return tmp_path / 'out'

    return run


def test_a_folder_in_and_scores_out(infer, tmp_path, capsys):
    out = infer('--prepared-as', str(tmp_path))
    said = capsys.readouterr().out
    assert 'exam0: 4 views' in said and 'not used: exam0/R_ML.dcm' in said
    assert "Scores: a breast is the sum of its images' log-odds; an exam is the max of its breasts." in said
    exam = json.loads((out / 'scores.json').read_text())['exams'][0]
    rows = list(csv.DictReader((out / 'exams.csv').open()))
    assert f'exam cancer {exam["scores"]["cancer"]:.3f}' in said
    assert [row['laterality'] for row in rows] == ['L', 'R', ''] and len(exam['images']) == 4
    assert (out / 'panels' / 'exam0.png').is_file()


@pytest.mark.parametrize('options', [('--regions',), ('--score-thr', '0'), ('--malignancy', 'a', 'b'), ('--bf16',)])
def test_what_is_for_boxes_is_refused(infer, options):
    with pytest.raises(MammoError, match=rf'options: found {options[0]}; expected none of these'):
        infer(*options)
