"""tools/evaluate.py: plain files in; a table, metrics.json, plots and a page out."""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction, MammoError

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location('evaluate_tool', ROOT / 'tools' / 'evaluate.py')
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

LESION, NOWHERE = [10.0, 10, 20, 20], [60.0, 60, 20, 20]  # x, y, width, height
HEAD = ['image_id', 'exam_id', 'patient_id', 'laterality', 'view', 'label', 'score']
TRUTH = {
    'images': [{'id': i, 'width': 100, 'height': 100, 'file_name': f'{i}.png'} for i in (1, 2, 3)],
    'categories': [{'id': 7, 'name': 'mass'}],
    'annotations': [{'id': 1, 'image_id': 1, 'category_id': 7, 'bbox': LESION, 'iscrowd': 0}],
}


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['evaluate.py', *map(str, args)])
    return tool.main()


def detection(image_id=1, bbox=LESION, score=0.9, category_id=7):
    return {'image_id': image_id, 'category_id': category_id, 'bbox': bbox, 'score': score}


def coco(folder, detections, truth=TRUTH):
    (folder / 'truth.json').write_text(json.dumps(truth))
    (folder / 'found.json').write_text(json.dumps(detections))
    return ['detections', '--gt', folder / 'truth.json', '--pred', folder / 'found.json', '--out', folder / 'out']


def table(path, rows, head=HEAD):
    with path.open('w', newline='') as file:
        csv.writer(file).writerows([head, *rows])
    return path


def exams(prefix, scores):
    """One image per exam and patient; the first half is positive."""
    n = len(scores)
    return [
        [f'{prefix}{i}', f'{prefix}e{i}', f'{prefix}p{i}', 'L', 'CC', int(i < n / 2), s] for i, s in enumerate(scores)
    ]


def document(folder):
    return json.loads((folder / 'out' / 'metrics.json').read_text())


def test_coco_files_to_a_page(monkeypatch, tmp_path, capsys):
    args = coco(tmp_path, [detection(), detection(2, NOWHERE, 0.5)])
    assert run(monkeypatch, *args, '--bootstrap', 20) == 0
    written = document(tmp_path)
    recall = written['numbers']['froc/recall@0.50']
    assert (recall['value'], recall['n']) == (1.0, {'images': 3, 'exams': 3, 'patients': 3, 'lesions': 1, 'units': 1})
    assert written['metrics']['froc/recall@0.50'] == 1.0
    assert 'each image counts as a patient' in written['notes'][0]
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {'metrics.json', 'plots', 'report.html'}
    printed = capsys.readouterr().out
    assert '2 detections used, 0 refused' in printed and 'froc/recall@0.50' in printed


def test_refused_rows_are_told_counted_and_kept_in_the_document(monkeypatch, tmp_path, capsys):
    args = [*coco(tmp_path, [detection(), detection(score=1.5)]), '--bootstrap', 0]
    assert run(monkeypatch, *args) == 0
    printed = capsys.readouterr().out
    assert '1 detections used, 1 refused' in printed and 'refused detections[1]: score: found 1.5' in printed
    (row,) = document(tmp_path)['files'][1]['refused_rows']
    assert row['row'] == 'detections[1]' and row['reason'].startswith('score: found 1.5; expected a number in [0, 1]')
    assert 'detections[1]' in (tmp_path / 'out' / 'report.html').read_text()
    with pytest.raises(MammoError, match=r'found\.json, detections\[1\].*without --strict'):
        run(monkeypatch, *args, '--strict')


def predictions(path, patients, image_ids):
    boxes = np.array([[10.0, 10, 30, 30], [60, 60, 80, 80]])
    write_predictions(
        path,
        [
            ImagePrediction(
                i,
                f'{i}.png',
                100,
                100,
                f'e-{p}',
                p,
                'L',
                'CC',
                boxes,
                np.array([0.8, 0.3]),
                np.zeros(2, int),
                boxes[:1],
                np.zeros(1, int),
            )
            for i, p in zip(image_ids, patients, strict=True)
        ],
        ['mass'],
    )
    return path


def test_a_threshold_of_detections_is_frozen_and_reported_elsewhere(monkeypatch, tmp_path):
    val = predictions(tmp_path / 'val.json', ['a', 'b'], [1, 2])
    test = predictions(tmp_path / 'test.json', ['c', 'd'], [3, 4])
    args = ['detections', '--pred', test, '--choose-threshold-on', val, '--out', tmp_path / 'out', '--bootstrap', 20]
    assert run(monkeypatch, *args) == 0
    point = document(tmp_path)['operating_point']
    assert (point['threshold'], point['same_split'], point['chosen_on']['n']) == (0.8, False, 2)
    values = {key: number['value'] for key, number in point['numbers'].items()}
    assert values == {
        'operating_point/recall': 1.0,
        'operating_point/precision': 1.0,
        'operating_point/f1': 1.0,
        'operating_point/fps_per_image': 0.0,
    }


@pytest.mark.parametrize('patients', [['a', 'b'], ['a', 'x']], ids=['the same rows', 'a shared patient'])
def test_choosing_and_reporting_on_the_same_is_refused_unless_asked(monkeypatch, tmp_path, patients):
    val = predictions(tmp_path / 'val.json', ['a', 'b'], [1, 2])
    test = predictions(tmp_path / 'test.json', patients, [1, 2])
    args = ['detections', '--pred', test, '--choose-threshold-on', val, '--out', tmp_path / 'out', '--bootstrap', 0]
    with pytest.raises(MammoError, match=r'allow.same.split'):
        run(monkeypatch, *args)
    assert run(monkeypatch, *args, '--allow-same-split') == 0
    assert document(tmp_path)['operating_point']['same_split'] is True


def test_scores_of_a_table_by_hand(monkeypatch, tmp_path, capsys):
    path = table(tmp_path / 'test.csv', exams('t', [0.9, 0.4, 0.6, 0.1]))
    assert run(monkeypatch, 'scores', '--table', path, '--out', tmp_path / 'out', '--bootstrap', 20) == 0
    numbers = document(tmp_path)['numbers']
    assert numbers['auc']['value'] == 0.75 and numbers['auc']['n']['positives'] == 2
    assert numbers['auc']['interval'] == 'DeLong' and numbers['auprc']['interval'] == 'bootstrap of patients'
    assert '4 rows used, 0 refused' in capsys.readouterr().out


def test_images_become_breasts_and_exams(monkeypatch, tmp_path):
    rows = [
        [f'{e}{side}{view}', e, e, side, view, int(e == 'a' and side == 'L'), score]
        for e, scores in {'a': (0.9, 0.5, 0.1, 0.1), 'b': (0.2, 0.2, 0.8, 0.4)}.items()
        for (side, view), score in zip([('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO')], scores, strict=True)
    ]
    path = table(tmp_path / 'test.csv', rows)
    args = ['scores', '--table', path, '--out', tmp_path / 'out', '--bootstrap', 0]
    for level, n, auc in (('row', 8, (5 + 6) / 12), ('breast', 4, 1.0), ('exam', 2, 1.0)):
        run(monkeypatch, *args, '--level', level)
        assert document(tmp_path)['numbers']['auc']['n']['rows'] == n
        assert document(tmp_path)['numbers']['auc']['value'] == pytest.approx(auc)


def test_several_classes_wide_and_long_agree(monkeypatch, tmp_path):
    wide = [['i0', 1, 0.9, 0, 0.3], ['i1', 0, 0.2, 1, 0.6], ['i2', 1, 0.4, 0, 0.7], ['i3', 0, 0.6, 1, 0.1]]
    long = [[row[0], name, row[1 + 2 * k], row[2 + 2 * k]] for row in wide for k, name in enumerate(('mass', 'calc'))]
    wide_path = table(tmp_path / 'wide.csv', wide, ['image_id', 'has_mass', 'mass', 'has_calc', 'calc'])
    long_path = table(tmp_path / 'long.csv', long, ['image_id', 'finding', 'label', 'score'])
    results = []
    for args in (
        [wide_path, '--label', 'has_calc', 'has_mass', '--score', 'calc', 'mass'],
        [long_path, '--class-column', 'finding'],
    ):
        run(monkeypatch, 'scores', '--table', *args, '--out', tmp_path / 'out', '--bootstrap', 0)
        written = document(tmp_path)
        results.append((written['numbers'], written['class_table']))
    assert results[0] == results[1]
    assert results[0][0]['macro/auc']['value'] == (0.75 + 0.25) / 2
    assert results[0][1][0]['name'] == 'calc' and results[0][1][0]['precision'] == 0.5


def test_one_table_of_two_splits(monkeypatch, tmp_path):
    rows = [[*row, 'val'] for row in exams('v', [0.9, 0.8, 0.3, 0.1])]
    rows += [[*row, 'test'] for row in exams('t', [0.9, 0.4, 0.6, 0.1])]
    path = table(tmp_path / 'both.csv', rows, [*HEAD, 'split'])
    common = ['scores', '--table', path, '--out', tmp_path / 'out', '--bootstrap', 0]
    with pytest.raises(MammoError, match='found test, val; expected one split'):
        run(monkeypatch, *common)
    choose = ['--choose-threshold-on', path, '--choose-split', 'val']
    assert run(monkeypatch, *common, '--split', 'test', *choose) == 0
    written = document(tmp_path)
    assert (written['files'][0]['used'], written['files'][0]['left_out']) == (4, 4)
    assert written['operating_point']['threshold'] == 0.8
    assert written['operating_point']['numbers']['operating_point/sensitivity']['value'] == 0.5


def test_keys_do_not_depend_on_the_data(monkeypatch, tmp_path):
    keys = []
    for truth in (TRUTH, TRUTH | {'annotations': []}):
        run(monkeypatch, *coco(tmp_path, [detection()], truth), '--bootstrap', 20)
        written = document(tmp_path)
        subgroups = [(row['by'], row['value']) for row in written['subgroups'] if row['value'] != 'unknown']
        keys.append((list(written), list(written['numbers']), list(written['metrics']), subgroups))
    assert keys[0] == keys[1]
    assert written['numbers']['froc/recall@1.00']['value'] is None
    assert written['numbers']['froc/recall@1.00']['reason'] == 'no lesion in the ground truth'


def test_an_exam_of_two_patients_stops_both_kinds(monkeypatch, tmp_path):
    images = [image | {'exam_id': 'e', 'patient_id': p} for image, p in zip(TRUTH['images'], 'aab', strict=True)]
    with pytest.raises(MammoError, match=r"images\[2\]: patient_id: found 'b', but 'a' in another image of exam 'e'"):
        run(monkeypatch, *coco(tmp_path, [detection()], TRUTH | {'images': images}))
    rows = exams('x', [0.9, 0.1])
    rows[1][1] = rows[0][1]
    args = ['scores', '--table', table(tmp_path / 't.csv', rows), '--out', tmp_path / 'out']
    with pytest.raises(MammoError, match=r"line 3: patient: found 'xp1', but 'xp0' in line 2 of exam 'xe0'"):
        run(monkeypatch, *args)


def test_sides_that_are_missing_are_named_with_their_rows(monkeypatch, tmp_path):
    rows = exams('x', [0.9, 0.1, 0.2])
    rows[1][3] = 'left side'
    args = ['scores', '--table', table(tmp_path / 't.csv', rows), '--level', 'exam', '--out', tmp_path / 'out']
    with pytest.raises(MammoError, match=r't\.csv: laterality: found 1 rows that are neither L nor R: x1'):
        run(monkeypatch, *args)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--target', '0.9'], '--target: nothing is chosen'),
        (['--choose-split', 'val'], '--choose-split: nothing is chosen'),
        (['--choose-threshold-on', 'a', '--operating-point', 'b'], 'give one of the two'),
        (['--calibrate-on', 'a', '--calibration', 'b'], 'give one of the two'),
        (['--bootstrap', '-3'], '--bootstrap: found -3'),
    ],
)
def test_options_that_would_do_nothing_are_refused(monkeypatch, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit):
        run(monkeypatch, 'scores', '--table', tmp_path / 't.csv', '--out', tmp_path / 'out', *options)
    assert said in capsys.readouterr().err


def test_equal_replicates_are_no_interval(monkeypatch, tmp_path):
    truth = TRUTH | {'annotations': [TRUTH['annotations'][0] | {'id': i, 'image_id': i} for i in (1, 2, 3)]}
    run(monkeypatch, *coco(tmp_path, [detection(i) for i in (1, 2, 3)], truth), '--bootstrap', 20)
    written = document(tmp_path)
    perfect = written['numbers']['froc/recall@1.00']
    assert (perfect['value'], perfect['low'], perfect['high']) == (1.0, None, None)
    assert perfect['no_interval'] == 'all replicates are equal: too little data to tell a spread'
    assert written['subgroups'][0]['numbers']['froc/recall@1.00'] == {'value': 1.0, 'low': None, 'high': None}
