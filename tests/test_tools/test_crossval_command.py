"""tools/crossval.py on a tiny set, with real trainings; killed in the last fold and gone on with."""

import csv
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/_base_/default_runtime.py']
data_root = '{data}'
randomness = dict(seed=3)
model = dict(
    type='mmpretrain.ImageClassifier',
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.459] * 3, std=[0.226] * 3),
    backbone=dict(type='mmmammo.GrayResNet', depth=18, stem_channels=4, base_channels=4, in_channels=3),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(type='mmpretrain.MultiLabelLinearClsHead', num_classes=1, in_channels=32),
)
_resize = [dict(type='mmmammo.LoadMammogram'), dict(type='Resize', scale=(32, 32), keep_ratio=False)]
_pack = dict(type='mmmammo.PackView')
_set = dict(type='mmmammo.ViewClassificationDataset', data_root=data_root, labels=['cancer'], task='multilabel')
def _loader(split, pipeline, **more):
    return dict(
        batch_size=4, num_workers=1, persistent_workers=True, collate_fn=dict(type='pseudo_collate'),
        sampler=dict(type='DefaultSampler', shuffle=split == 'train'),
        dataset=dict(**_set, ann_file=f'annotations/{{split}}.json', pipeline=pipeline, **more),
    )
train_dataloader = _loader('train', [*_resize, dict(type='RandomFlip', prob=0.5), _pack])
val_dataloader = _loader('val', [*_resize, _pack], test_mode=True)
test_dataloader = _loader('test', [*_resize, _pack], test_mode=True)
val_evaluator = [dict(type='mmmammo.ProbabilisticF1Metric')]
test_evaluator = [dict(type='mmmammo.ProbabilisticF1Metric')]
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg, test_cfg = dict(), dict()
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.01))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True)]
del _resize, _pack, _set, _loader
"""

DETECTOR = """
_base_ = [
    '{root}/configs/_base_/models/agrcnn_r18_small.py',
    '{root}/configs/_base_/datasets/phantom_exams.py',
    '{root}/configs/_base_/schedules/phantom_small.py',
    '{root}/configs/_base_/default_runtime.py',
]
data_root = '{data}'
prior = f'{{data_root}}/prior.json'
index = f'{{data_root}}/annotations/train.json'
inputs = [dict(makes=prior, command=f'tools/build_geometric_prior.py {{index}} --out {{prior}}')]
_base_.model.neck[1].prior = prior
model = dict(
    neck=_base_.model.neck,
    lesion_matcher=dict(type='mmmammo.LesionMatcher'),
    roi_head=dict(bbox_head=dict(num_classes=2), mask_head=dict(num_classes=2)),
)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
test_evaluator = [
    dict(type='mmmammo.FROCMetric', bootstrap=20),
    dict(type='mmmammo.APMetric'),
    dict(type='mmmammo.LesionMatchingMetric'),
]
train_cfg = dict(max_epochs=1, val_interval=9)
param_scheduler = []
"""


@pytest.fixture
def command(tmp_path):
    """A function that makes the arguments of the command, with what is further given."""
    data = make_prepared_set(tmp_path / 'set', {'train': 6, 'val': 3, 'test': 3}, size=(32, 24))
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.format(root=ROOT, data=data))

    def _command(*more):
        store = ['--store', str(tmp_path / 'store')]
        return [sys.executable, str(ROOT / 'tools' / 'crossval.py'), str(config), '--folds', '3', *store, *more]

    return _command


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.returncode, done.stdout + done.stderr


def kill_in_second_epoch(command, log):
    """Start, and kill everything when a training is in its second epoch."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 600  # of a machine that has other work
    try:
        while not (log.is_file() and 'Saving checkpoint at 2 epochs' in log.read_text()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_killed_cross_validation_ends_with_the_same_scores(command, tmp_path):
    code, said = run(command('--work-dir', str(tmp_path / 'whole'), '--jobs', '2', '--tta'))
    assert code == 0, said
    assert 'oof/breast/binf1@thr' in said
    halves = command('--work-dir', str(tmp_path / 'halves'), '--jobs', '1')
    kill_in_second_epoch([*halves, '--only', '2'], tmp_path / 'halves' / 'fold2' / 'log.txt')
    assert not (tmp_path / 'halves' / 'fold2' / 'scores.csv').exists()
    code, said = run(halves)
    assert code == 0, said
    assert re.search(r'resumed epoch: [123],', (tmp_path / 'halves' / 'fold2' / 'log.txt').read_text())
    assert (tmp_path / 'halves' / 'scores.csv').read_bytes() == (tmp_path / 'whole' / 'scores.csv').read_bytes()
    document = json.loads((tmp_path / 'whole' / 'metrics.json').read_text())
    assert document['numbers']['auc']['n']['rows'] == 48 and len(document['folds']) == 3
    with (tmp_path / 'whole' / 'tta' / 'scores.csv').open() as file:
        assert len(list(csv.DictReader(file))) == 48


@pytest.mark.slow
def test_folds_are_averaged_on_the_test_split(command, tmp_path):
    code, said = run(
        command('--work-dir', str(tmp_path / 'out'), '--pool', 'train', 'val', '--ensemble', '--jobs', '2')
    )
    assert code == 0, said
    members = []
    for folder in ('ensemble', *(f'ensemble/fold{fold}' for fold in range(3))):
        with (tmp_path / 'out' / folder / 'scores.csv').open() as file:
            members.append([float(row['score']) for row in csv.DictReader(file)])
    mean, *singles = members
    assert len(mean) == 12
    for row, value in enumerate(mean):
        assert value == pytest.approx(sum(single[row] for single in singles) / 3)


@pytest.fixture
def detector(command, tmp_path):
    """As ``command``, of a detector of four views."""
    path = tmp_path / 'tiny_detector.py'
    path.write_text(DETECTOR.format(root=ROOT, data=tmp_path / 'set'))

    def _detector(*more):
        arguments = command('--work-dir', str(tmp_path / 'out'), *more)
        arguments[2] = str(path)
        return arguments

    return _detector


@pytest.mark.slow
def test_boxes_of_a_detector_are_gathered(detector, tmp_path):
    code, said = run(detector('--jobs', '2'))
    assert code == 0, said
    assert '48 images of 3 folds' in said and 'see the mean of the folds' in said
    document = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert document['kind'] == 'detections' and document['metrics']['froc/n_images'] == 48
    assert document['metrics']['matching/n_pairs'] is None
    priors = [json.loads((tmp_path / 'out' / f'fold{fold}' / 'prior.json').read_text()) for fold in range(3)]
    assert sorted(prior['info']['views'] for prior in priors) == [32, 32, 32]
    assert not (tmp_path / 'set' / 'prior.json').exists()
    of_fold = json.loads((tmp_path / 'out' / 'fold1' / 'metrics.json').read_text())
    assert len(of_fold['files']) == 4  # of the boxes, and of the labels of all three index files
    assert [row['n']['images'] for row in of_fold['subgroups'] if row['value'] == 'all'] == [16]


@pytest.fixture
def call(monkeypatch):
    """A function that runs the command in this process."""
    spec = importlib.util.spec_from_file_location('tool_crossval', ROOT / 'tools' / 'crossval.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def _call(arguments):
        monkeypatch.setattr('sys.argv', arguments[1:])
        return tool.main()

    return _call


@pytest.mark.parametrize(
    ('more', 'words'),
    [
        (['--ensemble'], '--ensemble: option: found --pool train val test; expected a test split that no fold'),
        (['--only', '3'], '--only: option: found 3; expected folds from 0 to 2'),
        (['--folds', '13'], 'folds: patients: found 12 patients; expected enough for 13 folds'),
        (['--jobs', '0'], '--jobs: option: found 0; expected a whole number from 1 on'),
        (['--cfg-options', 'crossval.needs.a=nowhere.py'], r'nowhere\.py: config: found no such file'),
        (
            ['--tta', '--cfg-options', 'crossval.needs.a={first}', 'crossval.average=probability'],
            '--tta: option: found a mean of scores; expected a config that is trained',
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_trained(command, tmp_path, call, more, words):
    first = tmp_path / 'first.py'
    first.write_text((tmp_path / 'tiny.py').read_text())
    with pytest.raises(MammoError, match=words):
        call(command(*(argument.format(first=first) for argument in more)))
    assert not (tmp_path / 'store').exists()


def test_a_set_that_would_be_another_one_in_the_folds_is_refused(command, tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MammoError, match=r'data_root: found set, from .*; expected the repository root'):
        call(command('--cfg-options', 'data_root=set'))
    assert not (tmp_path / 'store').exists()


@pytest.mark.parametrize('more', [['--tta'], ['--ensemble', '--pool', 'train', 'val']])
def test_boxes_are_not_averaged(detector, tmp_path, call, more):
    with pytest.raises(MammoError, match=f'{more[0]}: option: found a detector; expected a classifier'):
        call(detector(*more))
    assert not (tmp_path / 'out').exists()


def test_images_that_an_ensemble_cannot_score_are_told_before_anything_is_trained(command, tmp_path, call):
    index = tmp_path / 'set' / 'annotations' / 'test.json'
    document = json.loads(index.read_text())
    for image in document['images']:
        image['labels'] = {}  # as those of a challenge
    index.write_text(json.dumps(document))
    with pytest.raises(MammoError, match=r'test\.json: labels cancer: found 12 of 12 images without a known value'):
        call(command('--pool', 'train', 'val', '--ensemble'))
    assert not (tmp_path / 'store').exists()
