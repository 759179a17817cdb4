"""tools/test.py on classifiers: what it leaves, and for whom."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from mmmammo.evaluation.functional import ScoreMeasure, read_measure
from mmmammo.io import read_png16
from mmmammo.io.localisation_tables import read_localisation
from mmmammo.io.score_tables import read_score_table
from mmmammo.testing.cohort_set import make_cohort_set
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
PARENT = ROOT / 'configs' / 'wsol' / 'cam_resnet18_phantom.py'
ATTENTION = ROOT / 'configs' / 'attention_phantom.py'
SALIENCY = ROOT / 'configs' / 'image_labels' / 'saliency_phantom.py'
SETS = """
_base_ = [{parent!r}]
data = dict(num_workers=0, persistent_workers=False, batch_size=4)
train_dataloader = dict(**data, dataset=dict(data_root={root!r}, disjoint_from=[]))
val_dataloader = dict(**data, dataset=dict(data_root={root!r}, disjoint_from=[]))
test_dataloader = dict(**data, dataset=dict(data_root={root!r}{labels}))
inputs = []
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
"""
CLASSIFIER = """
test_evaluator = [dict(type='mmmammo.ExamAUCMetric', bootstrap=20), dict(type='mmmammo.ProbabilisticF1Metric')]
"""
LOCALISER = """
test_dataloader['dataset'].update(
    data_root={root!r},
    pipeline=[
        dict(type='mmmammo.LoadMammogram'),
        dict(type='Resize', scale=(64, 64), keep_ratio=False),
        dict(type='mmmammo.PackView'),
    ],
)
test_evaluator = [
    dict(type='mmmammo.LocalisationMetric'),
    dict(type='mmmammo.ExamAUCMetric'),
    dict(type='mmmammo.APMetric'),
    dict(type='mmmammo.FROCMetric', bootstrap=20),
]
"""
MULTI_LABEL = """
model = dict(
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        _delete_=True,
        type='mmpretrain.MultiLabelLinearClsHead',
        num_classes=2,
        in_channels=128,
        loss=dict(type='mmpretrain.CrossEntropyLoss', use_sigmoid=True),
    ),
)
test_evaluator = [dict(type='mmmammo.MultiLabelMetric', no_finding='No finding')]
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Four exams of four views, two of them with a malignant mass in one breast."""
    counts = {'train': 1, 'val': 1, 'test': 4}
    return make_prepared_set(tmp_path_factory.mktemp('set'), counts, size=(64, 48), seed=5)


@pytest.fixture
def run_test(monkeypatch, tmp_path, data):
    """Run the command on an untrained model of a config, and read ``metrics.json``."""

    def _run_test(text, *options, labels='', parent=PARENT, root=data):
        config = tmp_path / 'model.py'
        config.write_text(SETS.format(parent=str(parent), root=str(root), labels=labels) + text)
        work_dir = tmp_path / 'run'
        spec = importlib.util.spec_from_file_location('tool_test', ROOT / 'tools' / 'test.py')
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        arguments = [str(config), 'untrained', '--work-dir', str(work_dir), *map(str, options)]
        monkeypatch.setattr(sys, 'argv', ['tools/test.py', *arguments])
        assert tool.main() == 0
        return work_dir

    return _run_test


def numbers_are_read_again(work_dir):
    document = json.loads((work_dir / 'metrics.json').read_text())
    table = read_score_table(work_dir / 'scores.csv')
    for key, measure in document['measures'].items():
        logged = document['metrics'][key]
        assert logged is None or read_measure(table, ScoreMeasure.of(measure)) == pytest.approx(logged), key
    return document, table


def test_a_classifier_leaves_scores_numbers_and_a_page(run_test, tmp_path):
    work_dir = run_test(CLASSIFIER, '--report', tmp_path / 'report')
    document, table = numbers_are_read_again(work_dir)
    assert (len(table.ids), table.level, table.split) == (16, 'image', 'test')
    assert {'auc', 'pf1', 'exam/auc', 'pf1/breast/f1@best'} <= set(document['measures'])
    assert document['run']['checkpoint'] == 'untrained' and document['kind'] == 'scores'
    assert document['numbers']['pf1']['low'] is not None and document['numbers']['auc']['n']['patients'] == 4
    assert {row['by'] for row in document['subgroups']} == {'', 'view', 'laterality'}
    assert not (work_dir / 'predictions.json').exists()
    page = (tmp_path / 'report' / 'report.html').read_text()
    assert 'All numbers of the test run' in page and 'pf1/breast/f1@best' in page and 'patient_test' not in page
    assert (tmp_path / 'report' / 'scores.csv').read_text() == (work_dir / 'scores.csv').read_text()


def test_the_report_may_lie_in_the_work_dir(run_test, tmp_path):
    apart = run_test(CLASSIFIER)
    expected = json.loads((apart / 'metrics.json').read_text())
    work_dir = run_test(CLASSIFIER, '--report', apart)
    assert work_dir == apart and (work_dir / 'report.html').is_file()
    found = json.loads((work_dir / 'metrics.json').read_text())
    assert (found['measures'], found['metrics'].keys()) == (expected['measures'], expected['metrics'].keys())
    numbers_are_read_again(work_dir)


def test_several_findings_have_a_table_of_classes(run_test):
    labels = ", labels=['cancer', 'has_finding'], task='multilabel', classes=('cancer', 'finding')"
    document, table = numbers_are_read_again(run_test(MULTI_LABEL, labels=labels))
    assert table.classes == ('cancer', 'finding')
    assert [row['name'] for row in document['class_table']][:2] == ['cancer', 'finding']
    assert document['metrics']['multilabel/No finding/support'] == 12
    assert {'cancer/auc', 'macro/auc', 'multilabel/weighted/f1'} <= set(document['measures'])


def test_a_localiser_leaves_boxes_scores_and_how_well_each_map_fits(run_test):
    work_dir = run_test('')
    document, _ = numbers_are_read_again(work_dir)
    assert document['kind'] == 'detections' and list(document['measures']) == ['exam/auc']
    assert (work_dir / 'predictions.json').is_file()
    maps = read_localisation(work_dir / 'localisation.npz')
    assert maps.best_ious.shape == (16, 1000) and len(set(maps.patient_ids)) == 4


@pytest.mark.parametrize(('parent', 'pages'), [(ATTENTION, 'scores'), (SALIENCY, 'detections')])
def test_the_page_of_a_model_that_judges_windows_shows_them(run_test, tmp_path, parent, pages):
    cohort = make_cohort_set(tmp_path / 'cohort', (1, 1, 2), size=(64, 48))
    run_test('', '--report', tmp_path / 'report', parent=parent, root=cohort)
    page = (tmp_path / 'report' / 'report.html').read_text()
    section = page.split('id="windows"')[1].split('<h2')[0]
    pictures = re.findall(r'<img src="(.*?),.*?" alt="(.*?):.*? (\w+) annotated', section)
    assert len(pictures) == 6  # all images with cancer, and half of 8 without
    assert {source for source, *_ in pictures} == {'data:image/jpeg;base64'}
    exams = [name.split(' ')[1] for _, name, _ in pictures]
    assert exams[:2] == ['1', '1'] and [count == 'no' for *_, count in pictures] == [False] * 2 + [True] * 4
    assert section.count('(cancer)</strong>') == 2 and 'test_000' not in section
    assert ('Average precision, mean over' in page) == (pages == 'detections')


def test_the_page_of_any_other_model_has_no_windows(run_test, tmp_path):
    run_test(CLASSIFIER, '--report', tmp_path / 'report')
    assert 'Where the model looked' not in (tmp_path / 'report' / 'report.html').read_text()


def test_a_localiser_s_page_shows_maps_and_boxes_whatever_the_lesions_are_called(run_test, data, tmp_path):
    named = tmp_path / 'named'
    shutil.copytree(data, named)
    index = named / 'annotations' / 'test.json'
    index.write_text(index.read_text().replace('"mass"', '"distortion"'))
    report = tmp_path / 'report'
    run_test(LOCALISER.format(root=str(named)), '--report', report)
    document = json.loads((report / 'metrics.json').read_text())
    assert document['metrics']['localisation/n_images'] == 4 and document['metrics']['heatmaps/n_images'] == 16
    assert document['numbers']['froc/recall@1.00']['n']['lesions'] == 4
    classes = {row['value']: row['n']['lesions'] for row in document['subgroups'] if row['by'] == 'class'}
    assert classes['mass'] == classes['unknown'] == 0 and sum(classes.values()) == 4
    maps = sorted(report.glob('heatmaps/**/*.png'))
    assert len(maps) == 16 and any(read_png16(path).max() > 0 for path in maps)
    page = (report / 'report.html').read_text()
    assert 'id="show-heatmaps"' in page and page.count('class="heat" src="data:image/png') >= 8
    assert page.count('<g class="mark missed lesion">') + page.count('<g class="mark found lesion">') == 4
    assert len(re.findall(r'<g class="mark (?:hit|false) detection">', page)) >= 4
