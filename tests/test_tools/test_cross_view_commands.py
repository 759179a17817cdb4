"""tools/fit_cross_view.py and tools/rescore.py: from two splits of detections to new scores of one."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmmammo.anatomy import rescored
from mmmammo.evaluation.functional import CrossViewWeights, froc
from mmmammo.io.predictions import read_predictions
from mmmammo.structures import MammoError
from mmmammo.testing.decoy_exams import decoy_exams, write_decoy_set

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def load(name):
    spec = importlib.util.spec_from_file_location(f'{name}_tool', TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def command(monkeypatch, tmp_path):
    def call(name, predictions, annotations, *args):
        given = [predictions, '--annotations', annotations, *args]
        monkeypatch.setattr(sys, 'argv', [f'{name}.py', *map(str, given)])
        return load(name).main()

    return call


@pytest.fixture
def fit(command, tmp_path):
    def call(images, split='val', *args):
        out = tmp_path / 'cross_view.json'
        command(
            'fit_cross_view', *write_decoy_set(tmp_path / split, split, images), '--out', out, '--bootstrap', 20, *args
        )
        return out

    return call


def recall(images):
    found = [(image.boxes, image.scores) for image in images]
    return froc(found, [image.gt_boxes for image in images], fps_per_image=(0.25,)).recall_at[0.25]


def test_fitted_on_one_split_and_used_on_another(fit, command, tmp_path, capsys):
    kept = fit(decoy_exams(20))
    printed = ' '.join(capsys.readouterr().out.split())
    assert "140 detections of 20 patients, 40 of them on lesions; split 'val'" in printed
    assert 'warning: 40 detections on lesions are few for 5 coefficients; 50 would do' in printed
    test = decoy_exams(10, seed=1, name='test')
    predictions, index = write_decoy_set(tmp_path / 'test', 'test', test)
    command('rescore', predictions, index, '--cross-view', kept, '--out', tmp_path / 'new' / 'predictions.json')
    new, classes = read_predictions(tmp_path / 'new' / 'predictions.json')
    assert classes == ('mass',) and recall(new) > recall(test) + 0.3
    for image, expected in zip(new, rescored(test, CrossViewWeights.load(kept).apply), strict=True):
        np.testing.assert_allclose(image.scores, expected.scores)
        np.testing.assert_allclose(image.boxes, expected.boxes)


def test_the_file_tells_where_it_comes_from(fit, tmp_path):
    info = json.loads(fit(decoy_exams(20)).read_text())['info']
    assert (info['n_detections'], info['n_positive'], info['n_patients'], info['folds']) == (140, 40, 20, 5)
    gain = info['auc']['gain']
    assert gain['low'] < gain['value'] < gain['high']
    assert info['auc']['with the other views']['value'] == pytest.approx(
        info['auc']['own score']['value'] + gain['value']
    )
    assert sorted(info['files']) == ['predictions.json', 'val.json']
    assert str(tmp_path) not in json.dumps(info)


@pytest.mark.parametrize(('split', 'said'), [('train', 'has learnt from'), ('test', 'may not be reported on it')])
def test_the_wrong_splits_are_refused(fit, split, said):
    with pytest.raises(MammoError, match=said):
        fit(decoy_exams(6), split)


def test_the_test_split_may_be_asked_for_but_the_training_one_not(fit):
    assert fit(decoy_exams(6), 'test', '--allow-test-split').is_file()
    with pytest.raises(MammoError, match="'train'"):
        fit(decoy_exams(6), 'train', '--allow-test-split')


def test_what_was_fitted_on_is_not_scored_unless_asked(fit, command, tmp_path):
    kept = fit(decoy_exams(6))
    files = tmp_path / 'val' / 'predictions.json', tmp_path / 'val' / 'annotations' / 'val.json'
    rest = ('--cross-view', kept, '--out', tmp_path / 'out.json')
    with pytest.raises(MammoError, match='the same 6 rows'):
        command('rescore', *files, *rest)
    command('rescore', *files, *rest, '--allow-same-split')
    assert (tmp_path / 'out.json').is_file()


def test_nothing_is_written_when_nothing_can_be_learnt(fit, tmp_path):
    with pytest.raises(MammoError, match='detections of lesions'):
        fit(decoy_exams(1))
    assert not (tmp_path / 'cross_view.json').exists()


@pytest.mark.parametrize(('option', 'value'), [('--folds', 1), ('--bootstrap', 0)])
def test_options_out_of_range_are_refused(fit, option, value, capsys):
    with pytest.raises(SystemExit):
        fit(decoy_exams(2), 'val', option, value)
    assert f'found {value}; expected at least' in capsys.readouterr().err
