"""tools/evaluate.py: probabilities put right by other rows, and points that are kept for further sets."""

import csv
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmmammo.evaluation.functional import OperatingPoint, brier_score, fit_isotonic, fit_temperature, load_calibration
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location('evaluate_tool_again', ROOT / 'tools' / 'evaluate.py')
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

HEAD = ['image_id', 'exam_id', 'patient_id', 'laterality', 'split', 'label', 'score']


def rows(split, seed, n=60):
    """Overconfident scores of one image per patient."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    scores = 1 / (1 + np.exp(-3 * (labels - 0.5 + rng.normal(size=n))))
    return [[f'{split}{i}', f'{split}e{i}', f'{split}p{i}', 'L', split, labels[i], scores[i]] for i in range(n)]


def write(path, lines):
    with path.open('w', newline='') as file:
        csv.writer(file).writerows([HEAD, *lines])
    return path


def numbers_of(lines):
    return [int(line[5]) for line in lines], [float(line[6]) for line in lines], [line[0] for line in lines]


@pytest.fixture
def tables(tmp_path):
    val, test = rows('val', 0), rows('test', 1)
    return val, test, write(tmp_path / 'val.csv', val), write(tmp_path / 'test.csv', test)


@pytest.fixture
def run(monkeypatch, tmp_path):
    def command(table, *args):
        given = ['scores', '--table', table, '--out', tmp_path / 'out', '--bootstrap', 10, *args]
        monkeypatch.setattr(sys, 'argv', ['evaluate.py', *map(str, given)])
        tool.main()
        return json.loads((tmp_path / 'out' / 'metrics.json').read_text())

    return command


@pytest.mark.parametrize(('method', 'fit'), [('temperature', fit_temperature), ('isotonic', fit_isotonic)])
def test_a_calibration_is_fitted_on_one_table_and_applied_to_another(run, tables, tmp_path, capsys, method, fit):
    val, test, val_file, test_file = tables
    written = run(test_file, '--calibrate-on', val_file, '--calibration-method', method)
    labels, scores, ids = numbers_of(val)
    scaling = fit(labels, scores, ids, 'val')
    labels, scores, _ = numbers_of(test)
    assert written['numbers']['brier']['value'] == pytest.approx(brier_score(labels, scaling.apply(scores)))
    calibration = written['calibration']
    before = calibration['numbers']['before_calibration/brier']
    assert before['value'] == pytest.approx(brier_score(labels, scores))
    assert before['low'] < before['value'] < before['high']
    assert (calibration['method'], calibration['same_split'], calibration['chosen_on']['n']) == (method, False, 60)
    assert [Path(file['path']).name for file in written['files']] == ['test.csv', 'val.csv']
    of_images = replace(scaling, chosen_on=replace(scaling.chosen_on, unit='image'))
    assert load_calibration(tmp_path / 'out' / 'calibration.json') == of_images
    assert (tmp_path / 'out' / 'plots' / 'calibration.svg').is_file()
    assert "fitted on split 'val' (60 rows)" in ' '.join(capsys.readouterr().out.split())
    assert 'before calibration' in (tmp_path / 'out' / 'report.html').read_text()


def test_what_was_frozen_gives_the_same_numbers_again(run, tables, tmp_path):
    _, _, val_file, test_file = tables
    first = run(test_file, '--calibrate-on', val_file, '--choose-threshold-on', val_file, '--threshold-rule', 'youden')
    frozen = [tmp_path / 'out' / name for name in ('calibration.json', 'operating_point.json')]
    kept = [path.rename(tmp_path / path.name) for path in frozen]
    again = run(test_file, '--calibration', kept[0], '--operating-point', kept[1])
    assert again['numbers'] == first['numbers']
    assert again['operating_point']['numbers'] == first['operating_point']['numbers']
    point = OperatingPoint.load(kept[1])
    assert point.threshold == first['operating_point']['threshold']
    assert (point.chosen_on.unit, point.calibrated) == ('image', True)


def test_without_calibration_the_key_is_there_and_empty(run, tables):
    assert run(tables[3])['calibration'] is None


def test_one_table_of_two_splits(run, tables, tmp_path):
    both = write(tmp_path / 'both.csv', [*tables[0], *tables[1]])
    written = run(both, '--split', 'test', '--calibrate-on', both, '--choose-split', 'val')
    assert written['calibration']['chosen_on']['name'] == 'val'


def test_fitting_on_what_is_reported_is_refused_unless_asked(run, tables):
    _, _, _, test_file = tables
    with pytest.raises(MammoError, match=r'calibration: patients: found 60 in both sets'):
        run(test_file, '--calibrate-on', test_file)
    assert run(test_file, '--calibrate-on', test_file, '--allow-same-split')['calibration']['same_split'] is True


def test_a_saved_calibration_of_the_same_rows_is_refused(run, tables, tmp_path):
    _, test, _, test_file = tables
    labels, scores, ids = numbers_of(test)
    fit_temperature(labels, scores, ids, 'elsewhere').save(tmp_path / 'kept.json')
    with pytest.raises(MammoError, match='the same 60 rows'):
        run(test_file, '--calibration', tmp_path / 'kept.json')


def test_refused_rows_of_the_other_table_are_counted_too(run, tables, tmp_path):
    val, _, _, test_file = tables
    val_file = write(tmp_path / 'bad.csv', [*val, ['x', 'xe', 'xp', 'L', 'val', 1, 1.5]])
    for option in ('--calibrate-on', '--choose-threshold-on'):
        refused = run(test_file, option, val_file)['files'][1]['refused_rows']
        assert [row['row'] for row in refused] == ['line 62'], option
