"""The tables of exams and the picture of saliency, as commands."""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError
from mmmammo.testing.cohort_set import make_cohort_set

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = ('screening', 'none', 'interval', 'none', 'screening', 'none', 'none', 'none', 'screening', 'none')


@pytest.fixture
def run(monkeypatch):
    def _run(name, *args):
        path = ROOT / 'tools' / 'analysis' / f'{name}.py'
        spec = importlib.util.spec_from_file_location(f'tool_{name}', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        return module.main()

    return _run


@pytest.fixture
def runs(tmp_path):
    """Two models, cross-validated in two folds."""
    for seed, name in enumerate(('Holistic', 'Attention')):
        rng = np.random.default_rng(seed)
        rows = [
            ScoreRow(
                image_id=f'{exam}{side}{view}',
                exam_id=f'e{exam}',
                patient_id=f'p{exam}',
                laterality=side,
                view=view,
                split='out-of-fold',
                labels=(outcome != 'none' and side == 'L',),
                scores=(float(rng.uniform(0, 0.8) + 0.2 * (outcome != 'none' and side == 'L')),),
                attributes={'exam_outcome': outcome, 'reader1': 1, 'reader2': 2, 'fold': exam * 3 // 10},
            )
            for exam, outcome in enumerate(OUTCOMES)
            for side in 'LR'
            for view in ('CC', 'MLO')
        ]
        write_scores(tmp_path / name / 'scores.csv', rows)
    numbers = {'mean': {'roi/hit': {'value': 0.75, 'sd': 0.1, 'n': 2}, 'roi/chance': {'value': 0.3, 'sd': 0, 'n': 2}}}
    numbers['mean']['roi/middle'] = {'value': 0.5, 'sd': 0, 'n': 2}
    numbers['folds'] = [{'fold': i, 'metrics': {'roi/hit': 0.65 + 0.2 * i, 'roi/n_images': 20.0}} for i in range(2)]
    (tmp_path / 'Attention' / 'metrics.json').write_text(json.dumps(numbers))
    return tmp_path


def test_table_1_is_printed_and_written(run, runs, capsys):
    args = ('--bootstrap', 50, '--out', runs / 'out')
    assert run('cohort_table', runs / 'Holistic', runs / 'Attention/scores.csv', *args) == 0
    said = capsys.readouterr().out
    for expected in ('Holistic', '2 radiologists', '0.913', 'Screening: 3 against 7', 'all 10 exams'):
        assert expected in said
    assert (
        'the window holds the lesion in 75.0% of positive images (40; folds: 65.0% to 85.0%); by chance 30.0%' in said
    )
    document = json.loads((runs / 'out/cohort_table.json').read_text())
    by_name = {row['name']: row for row in document['rows']}
    assert list(by_name) == ['Holistic', 'Attention', '1 radiologist', '1 radiologist (second)', '2 radiologists']
    assert by_name['1 radiologist']['all']['screening']['auc'] == 0.5
    assert by_name['Holistic']['all']['screening']['fold_mean'] is not None
    with (runs / 'out/cohort.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10 and rows[0]['outcome'] == 'screening' and rows[0]['2 radiologists'] == '3.0'
    assert '| Holistic | 0.' in (runs / 'out/cohort_table.md').read_text()


def test_drawn_controls_have_a_table_of_their_own(run, runs, capsys):
    assert run('cohort_table', runs / 'Holistic', '--controls', 4, '--bootstrap', 0) == 0
    said = capsys.readouterr().out
    assert 'all cancers and 4 drawn controls' in said and 'The same of all 10 exams' in said


def test_models_are_compared_exam_by_exam(run, runs, capsys):
    assert (
        run('exam_table', runs / 'Holistic', f'second={runs / "Attention"}', '--bootstrap', 50, '--out', runs / 'o')
        == 0
    )
    assert 'AUC of 10 exams, 4 positive' in capsys.readouterr().out
    first, second = json.loads((runs / 'o/exam_table.json').read_text())['rows']
    assert (first['name'], second['name']) == ('Holistic', 'second')
    assert second['difference'] == pytest.approx(second['auc'] - first['auc'])
    assert 0 < second['p_permutation'] <= 1


def test_names_and_paths_are_checked(run, runs):
    with pytest.raises(MammoError, match='no such file'):
        run('exam_table', runs / 'nobody')
    with pytest.raises(MammoError, match='a name of its own'):
        run('exam_table', runs / 'Holistic', runs / 'Holistic/scores.csv')


def test_a_run_in_parts_and_the_rules_are_printed(run, runs, capsys):
    with (runs / 'Holistic/scores.csv').open() as file:
        head, *lines = file.read().splitlines()
    for name, chosen in (('one', lines[:16]), ('two', lines[16:])):
        (runs / name).mkdir()
        (runs / name / 'scores.csv').write_text('\n'.join([head, *chosen]) + '\n')
    parts = f'Parts={runs / "one"},{runs / "two"}'
    assert run('exam_table', runs / 'Holistic', parts, '--bootstrap', 0, '--out', runs / 'o') == 0
    first, second = json.loads((runs / 'o/exam_table.json').read_text())['rows']
    assert second['difference'] == 0 and second['auc'] == first['auc'] and 'sum' in second['rule']
    assert run('cohort_table', runs / 'Holistic', parts, '--bootstrap', 0, '--breast-rule', 'mean') == 0
    said = ' '.join(capsys.readouterr().out.split())
    assert "Parts: a breast is the sum of its images' log-odds; an exam is the max of its breasts" in said
    assert "Parts: a breast is the mean of its images' log-odds" in said
    with pytest.raises(MammoError, match='exams that no other part has'):
        run('cohort_table', f'Parts={runs / "one"},{runs / "one"}')


def test_a_label_needs_a_set_that_has_it(run, runs):
    with pytest.raises(MammoError, match="--label: found 'biopsy' without --annotations"):
        run('exam_table', runs / 'Holistic', '--label', 'biopsy')


def test_saliency_is_drawn(run, tmp_path, capsys):
    root = make_cohort_set(tmp_path / 'set', (2, 2, 2), size=(64, 48))
    cfg = Config.fromfile('configs/attention_phantom.py')
    init_default_scope('mmdet')
    torch.manual_seed(0)
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, tmp_path / 'c.pth')
    options = [f'{split}_dataloader.dataset.data_root={root}' for split in ('train', 'val', 'test')]
    args = ('--images', 2, '--out', tmp_path / 'plots', '--cfg-options', *options)
    assert run('plot_saliency', 'configs/attention_phantom.py', tmp_path / 'c.pth', *args) == 0
    assert (tmp_path / 'plots/saliency.png').stat().st_size > 10000
    assert str(tmp_path / 'plots/saliency.svg') in capsys.readouterr().out
    with pytest.raises(MammoError, match='AttentionClassifier'):
        run('plot_saliency', 'configs/holistic_phantom.py', tmp_path / 'c.pth', *args)
