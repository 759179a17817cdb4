"""tools/infer.py on a classifier."""

import csv
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmmammo.apis.runs import for_testing
from mmmammo.evaluation.functional import OperatingPoint
from mmmammo.evaluation.functional.recalibration import TemperatureScaling
from mmmammo.evaluation.functional.split_record import SplitRecord
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions, SetOptions, prepare_dataset
from mmmammo.sources import folder
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

    def run(*options, exams=exams):
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


def test_panels_may_be_left_out(infer, tmp_path, capsys):
    out = infer('--prepared-as', str(tmp_path), '--no-panels')
    assert not (out / 'panels').exists() and 'panel:' not in capsys.readouterr().out
    assert len(list(csv.DictReader((out / 'exams.csv').open()))) == 3
    infer('--prepared-as', str(tmp_path), '--no-panels', '--resume')
    assert 'Kept of an earlier run: 1 of 1 exams.' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        infer('--no-panels', '--dicom')
    assert '--dicom writes the panels too: leave out --no-panels' in capsys.readouterr().err


def test_frozen_calibration_and_threshold_are_used_and_told(infer, tmp_path, capsys):
    set_record = SplitRecord('val', 'f' * 64, 20)
    plain = json.loads((infer('--prepared-as', str(tmp_path)) / 'scores.json').read_text())['exams'][0]['images']
    logits = [np.log(p / (1 - p)) for p in (image['scores']['cancer'] for image in plain)]
    threshold = 1 / (1 + np.exp(-np.sort(logits)[-2] / 3))  # the two greatest reach it
    TemperatureScaling(3.0, set_record).save(tmp_path / 'calibration.json')
    point = OperatingPoint(threshold * (1 - 1e-9), 'youden', None, set_record, 7, {})
    point.comparable_with(np.linspace(0, 1, 500)).save(tmp_path / 'point.json')
    frozen = ('--calibration', str(tmp_path / 'calibration.json'), '--operating-point', str(tmp_path / 'point.json'))
    out = infer('--prepared-as', str(tmp_path), *frozen)
    document = json.loads((out / 'scores.json').read_text())
    images = document['exams'][0]['images']
    scores = [image['scores']['cancer'] for image in images]
    assert scores == pytest.approx([1 / (1 + np.exp(-logit / 3)) for logit in logits])
    assert [image['called'] for image in images] == [logit >= np.sort(logits)[-2] for logit in logits]
    assert document['exams'][0]['called_images'] == 2 and document['info']['operating_point']['chosen_on'] == 'val'
    exams = list(csv.DictReader((out / 'exams.csv').open()))
    assert sum(int(row['called']) for row in exams[:2]) == int(exams[2]['called']) == 2
    said = capsys.readouterr().out
    few = 'warning: 500 scores of the reference and 1 of this set are too few'
    assert 'Called: 2 of 4 images' in said and few in said
    infer('--prepared-as', str(tmp_path), *frozen, '--resume')
    said = capsys.readouterr().out
    assert 'Kept of an earlier run: 1 of 1 exams.' in said and 'Called: 2 of 4 images' in said and few in said
    TemperatureScaling(2.0, set_record).save(tmp_path / 'calibration.json')
    with pytest.raises(MammoError, match='digest: found results made with'):
        infer('--prepared-as', str(tmp_path), *frozen, '--resume')


@pytest.mark.parametrize(
    'options', [('--regions',), ('--score-thr', '0'), ('--malignancy', 'a', 'b'), ('--bf16',), ('--dicom',)]
)
def test_what_is_for_boxes_is_refused(infer, options):
    with pytest.raises(MammoError, match=rf'options: found {options[0]}; expected none of these'):
        infer(*options)


def test_a_second_run_keeps_what_is_there_and_takes_what_is_new(infer, tmp_path, capsys):
    out = infer('--prepared-as', str(tmp_path), '--workers', '1')
    before = {name: (out / name).read_text() for name in ('scores.json', 'scores.csv', 'exams.csv')}
    capsys.readouterr()
    assert infer('--prepared-as', str(tmp_path), '--resume') == out
    said = capsys.readouterr().out
    assert 'Kept of an earlier run: 1 of 1 exams.' in said and 'not used' not in said
    assert "Scores: a breast is the sum of its images' log-odds" in said
    assert before == {name: (out / name).read_text() for name in before}
    shutil.copytree(tmp_path / 'exams' / 'exam0', tmp_path / 'exams' / 'exam1')
    infer('--prepared-as', str(tmp_path), '--resume')
    first, second = json.loads((out / 'scores.json').read_text())['exams']
    assert first == json.loads(before['scores.json'])['exams'][0]
    assert (second['exam_id'], second['scores']) == ('exam1', first['scores'])


def test_a_run_does_not_go_on_with_other_weights(infer, tmp_path):
    infer('--prepared-as', str(tmp_path))
    weights = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    next(iter(weights['state_dict'].values())).mul_(2)
    torch.save(weights, tmp_path / 'epoch_1.pth')
    with pytest.raises(MammoError, match='digest: found results made with'):
        infer('--prepared-as', str(tmp_path), '--resume')


def test_config_options_reach_the_model(infer, tmp_path):
    plain, options = ('--prepared-as', str(tmp_path)), ('--cfg-options', 'model.data_preprocessor.std=[0.5]')
    told = [json.loads((infer(*plain, *more) / 'scores.json').read_text())['exams'][0] for more in ((), options)]
    assert told[0]['scores'] != told[1]['scores']


def test_a_prepared_set_is_taken_as_it_is(infer, tmp_path):
    index = tmp_path / 'set' / 'annotations' / 'test.json'
    records = list(folder.list_records(tmp_path / 'exams'))
    options, splits = PrepareOptions(crop=False), SetOptions(fractions=(0, 0, 1))
    prepare_dataset(records, tmp_path / 'set', options, splits, categories=folder.CATEGORIES, source='folder')
    with pytest.raises(MammoError, match=r'--prepared-as: found images of a prepared set'):
        infer('--prepared-as', str(tmp_path), exams=index)
    of_files = json.loads((infer('--prepared-as', str(tmp_path)) / 'scores.json').read_text())
    of_set = json.loads((infer(exams=index) / 'scores.json').read_text())
    assert of_set['exams'][0]['rejected'] == [] and len(of_files['exams'][0]['rejected']) == 1
    assert of_set['exams'][0]['images'] == of_files['exams'][0]['images']
    assert of_set['info']['preparation'] == of_files['info']['preparation']


def test_results_among_the_exams_are_refused(infer, tmp_path):
    inside = tmp_path / 'exams' / 'results'
    with pytest.raises(MammoError, match=r'--out: found a folder inside of EXAMS'):
        infer('--out', str(inside))
    assert not inside.exists()


def test_parts_of_the_exams_are_put_together(infer, tmp_path, monkeypatch, capsys):
    shutil.copytree(tmp_path / 'exams' / 'exam0', tmp_path / 'exams' / 'exam1')
    infer('--prepared-as', str(tmp_path), '--out', str(tmp_path / 'whole'))
    for part in (1, 2):
        infer('--prepared-as', str(tmp_path), '--shard', f'{part}/2', '--out', str(tmp_path / f'part{part}'))
    capsys.readouterr()
    spec = importlib.util.spec_from_file_location('tool_join', ROOT / 'tools' / 'join_results.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    parts = [str(tmp_path / f'part{i}') for i in (1, 2)]
    monkeypatch.setattr(sys, 'argv', ['tools/join_results.py', *parts, '--out', str(tmp_path / 'j')])
    assert tool.main() == 0
    assert f'2 exams in {tmp_path / "j"}' in capsys.readouterr().out
    for name in ('scores.csv', 'exams.csv'):
        rows, expected = (sorted((tmp_path / folder / name).read_text().splitlines()) for folder in ('j', 'whole'))
        assert rows == expected
    panels = [sorted(path.name for path in (tmp_path / folder / 'panels').iterdir()) for folder in ('j', 'whole')]
    assert panels[0] == panels[1] == [f'exam{i}.png' for i in range(2)]
    infer('--prepared-as', str(tmp_path), '--resume', '--out', str(tmp_path / 'j'))
    assert 'Kept of an earlier run: 2 of 2 exams.' in capsys.readouterr().out
