"""Folds are made, killed, resumed, shared out, and built on one another; with tools that only pretend to train."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from mmengine.config import Config
from toy_folds import CONFIG, read_csv, starts

from mmmammo.crossval import Workshop, gather
from mmmammo.structures import MammoError


@pytest.fixture
def workshop(root):
    return Workshop(root, jobs=2)


def make_and_gather(workshop, project):
    outcome = workshop.make(project, project.folds)
    assert not outcome.failed and not outcome.elsewhere
    return gather({fold: project.fold_folder(fold) for fold in project.folds}, project.folder, {})


def test_every_image_is_scored_once_by_a_model_of_other_patients(workshop, project, tmp_path):
    opened = project(folder=tmp_path / 'out')
    document = make_and_gather(workshop, opened)
    rows = read_csv(tmp_path / 'out' / 'scores.csv')
    assert [int(row['image_id']) for row in rows] == list(range(1, 49))
    home = {}
    for row in rows:
        assert home.setdefault(row['patient_id'], row['fold']) == row['fold']
    assert {row['split'] for row in rows} == {'out-of-fold'}
    assert [fold['n'] for fold in document['folds']] == [16, 16, 16]
    assert document['numbers']['auc']['n']['rows'] == 48 and document['metrics']['oof/breast/auc'] == 1
    assert document['mean']['pf1/image/auc']['n'] == 3
    assert document['metrics']['pf1/image/auc'] == 1  # read off all rows, not averaged
    assert document['measures']['pf1/image/auc'] == {'statistic': 'auc'}
    assert json.loads((tmp_path / 'out' / 'metrics.json').read_text()) == document


def test_what_is_complete_is_not_made_again(workshop, project):
    opened = project()
    make_and_gather(workshop, opened)
    before = (opened.folder / 'scores.csv').read_bytes()
    make_and_gather(workshop, opened)
    assert [starts(opened, fold) for fold in opened.folds] == [['begun']] * 3
    assert (opened.folder / 'scores.csv').read_bytes() == before


def test_folds_of_other_machines_are_left_alone(workshop, project):
    opened = project()
    outcome = workshop.make(opened, [2])
    assert [run.name for run in outcome.done] == ['toy, fold 2']
    assert not opened.fold_folder(0).exists()
    make_and_gather(workshop, opened)
    assert starts(opened, 2) == ['begun']


KILLED = """
import sys
from pathlib import Path
from mmmammo.crossval import Workshop, open_project
root = Path(sys.argv[1])
project = open_project(sys.argv[2], root, root / 'store', folder=root / 'out', folds=3)
Workshop(root).make(project, project.folds)
"""


def test_a_killed_fold_goes_on_and_ends_with_the_same_scores(workshop, project, root, tmp_path):
    whole = project()
    make_and_gather(workshop, whole)
    opened = project(folder=root / 'out')
    (opened.fold_folder(2)).mkdir(parents=True)
    (opened.fold_folder(2) / 'wait').touch()
    process = subprocess.Popen([sys.executable, '-c', KILLED, str(root), opened.config], start_new_session=True)
    deadline = time.monotonic() + 300  # of a hang; a busy machine takes a minute
    while not (opened.fold_folder(2) / 'started').exists():
        assert process.poll() is None, 'it ended before it could be killed'
        assert time.monotonic() < deadline, 'it hangs'
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (opened.folder / 'scores.csv').exists()
    make_and_gather(workshop, opened)
    assert [starts(opened, fold) for fold in opened.folds] == [['begun'], ['begun'], ['begun', 'resumed']]
    assert (opened.folder / 'scores.csv').read_bytes() == (whole.folder / 'scores.csv').read_bytes()


@pytest.mark.parametrize(
    ('note', 'start'), [('', 'begun'), ('epoch_3.pth', 'begun'), ('epoch_1.pth', 'resumed')], ids=repr
)
def test_what_a_kill_left_half_written_is_not_gone_on_with(workshop, project, tmp_path, note, start):
    whole = project()
    make_and_gather(workshop, whole)
    opened = project(folder=tmp_path / 'out')
    folder = opened.fold_folder(1)
    folder.mkdir(parents=True)
    (folder / 'epoch_1.pth').write_text('the first epoch')
    (folder / 'epoch_2.pth').write_text('5')  # of '5 1 None'
    (folder / 'last_checkpoint').write_text(note)  # written after the checkpoint that it names
    make_and_gather(workshop, opened)
    assert starts(opened, 1) == [start]
    assert (opened.folder / 'scores.csv').read_bytes() == (whole.folder / 'scores.csv').read_bytes()


@pytest.mark.parametrize('lost', ['tested', 'metrics.json'])
def test_a_fold_killed_in_its_test_is_tested_again_and_not_trained(workshop, project, lost):
    opened = project()
    make_and_gather(workshop, opened)
    before, fold = (opened.folder / 'scores.csv').read_bytes(), opened.fold_folder(2)
    if lost == 'tested':
        record = json.loads((fold / 'record.json').read_text())
        (fold / 'record.json').write_text(json.dumps({key: record[key] for key in record if key != lost}))
    else:
        (fold / lost).unlink()
    (fold / 'scores.csv').write_text('image_id,exam_id\n1,')
    make_and_gather(workshop, opened)
    assert starts(opened, 2) == ['begun'] and (opened.folder / 'scores.csv').read_bytes() == before


def test_labels_of_absent_values_can_be_cross_validated(workshop, project):
    opened = project(more="test_dataloader['dataset']['mapping'] = {0: 0, 1: 1, None: 0}")
    assert make_and_gather(workshop, opened)['metrics']['oof/image/auc'] == 1


def test_a_failed_fold_is_told_and_the_others_are_made(workshop, project):
    opened = project(more='model["broken"] = 1')
    outcome = workshop.make(opened, opened.folds)
    assert [run.name for run, _ in outcome.failed] == ['toy, fold 1']
    assert 'no luck' in outcome.failed[0][1]
    assert sorted(run.name for run in outcome.done) == ['toy, fold 0', 'toy, fold 2']


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'size': 2}, 'digest: found the config of folds made before is another'),
        ({'folds': 2}, "cut: found the cut of folds made before is another: {'n': 3"),
        ({'train_seed': 6}, 'seed: found the seed of folds made before is another: 5, now 6'),
        ({'cfg_options': {'model.size': 3}}, 'digest: found the config'),
    ],
)
def test_a_folder_holds_folds_of_one_kind(workshop, project, tmp_path, change, words):
    workshop.make(project(folder=tmp_path / 'out'), [0])
    with pytest.raises(MammoError, match=words):
        workshop.make(project(**{'folder': tmp_path / 'out'} | change), [0])


def test_a_set_that_was_prepared_anew_is_noticed(workshop, project, prepared, tmp_path):
    opened = project(folder=tmp_path / 'out')
    workshop.make(opened, [0])
    index = prepared / 'annotations' / 'val.json'
    text = index.read_text()
    try:
        index.write_text(text + '\n')
        with pytest.raises(MammoError, match='index_files: found the prepared set of folds made before is another'):
            workshop.make(opened, [0])
    finally:
        index.write_text(text)


def second_stage(first, **more):
    entry = {'needs': {'first': first}, 'options': {'load_from': '{first.checkpoint}'}, **more}
    return f'crossval = {entry!r}'


def test_a_second_stage_starts_from_the_same_fold_of_the_first(workshop, project, write_config):
    opened = project('second', size=7, more=second_stage(write_config('first')))
    make_and_gather(workshop, opened)
    first = opened.needs['first']
    for fold in opened.folds:
        weights = (opened.fold_folder(fold) / 'epoch_2.pth').read_text()
        assert weights == f'5 7 {first.fold_folder(fold) / "epoch_2.pth"}'
        assert starts(first, fold) == ['begun']


def test_a_first_stage_made_elsewhere_is_found_and_not_made_again(workshop, project, write_config, tmp_path):
    first = project('first', folder=tmp_path / 'elsewhere')
    make_and_gather(workshop, first)
    second = project('second', more=second_stage(write_config('first')))
    make_and_gather(workshop, second)
    assert second.needs['first'].folder.resolve() == tmp_path / 'elsewhere'
    assert starts(first, 0) == ['begun']


def test_what_is_prepared_per_fold_is_there_before_the_training(workshop, project, root, write_config):
    (root / 'tools' / 'rois.py').write_text(
        'import pathlib, sys\npathlib.Path(sys.argv[3]).write_text(" ".join(sys.argv[1:3]))\n'
    )
    step = {'makes': '{fold_dir}/rois.txt', 'command': 'tools/rois.py {config} {first.checkpoint} {fold_dir}/rois.txt'}
    opened = project('second', more=second_stage(write_config('first'), prepare=[step]))
    make_and_gather(workshop, opened)
    config, checkpoint = (opened.fold_folder(1) / 'rois.txt').read_text().split()
    assert config == str(opened.fold_folder(1) / CONFIG)
    assert checkpoint == str(opened.needs['first'].fold_folder(1) / 'epoch_2.pth')


def test_a_preparing_command_that_fails_is_told(workshop, project):
    step = {'makes': '{fold_dir}/x', 'command': 'tools/nowhere.py'}
    with pytest.raises(
        MammoError, match=r'fold0/x: crossval.prepare, inputs: found `python tools/nowhere.py` ended with code 2'
    ):
        workshop.make(project(more=f'crossval = dict(prepare=[{step!r}])'), [0])


def test_a_first_stage_that_fails_is_told(workshop, project, write_config):
    second = project('second', more=second_stage(write_config('first', more='model["broken"] = 0')))
    with pytest.raises(MammoError, match=r'(?s)first, fold 0.*no luck.*expected a fold that others need'):
        workshop.make(second, [0])


def test_a_first_stage_that_another_process_makes_is_waited_for(root, project, write_config, monkeypatch):
    monkeypatch.setattr('mmmammo.crossval.making._PATIENCE', 0.2)
    second = project('second', more=second_stage(write_config('first')))
    first = second.needs['first']
    first.fold_folder(0).mkdir(parents=True)
    (first.fold_folder(0) / 'wait').touch()
    other = threading.Thread(target=Workshop(root).make, args=(first, [0]))
    other.start()
    while not (first.fold_folder(0) / 'started').exists():
        time.sleep(0.05)
    (first.fold_folder(0) / 'wait').unlink()
    train_pid = _child_with('train.py')
    made = threading.Thread(target=Workshop(root).make, args=(second, [0]))
    made.start()
    time.sleep(0.5)
    os.kill(train_pid, signal.SIGKILL)  # the other one fails; we take over and go on from its checkpoint
    other.join(30)
    made.join(30)
    assert not made.is_alive() and starts(first, 0) == ['begun', 'resumed'] and starts(second, 0) == ['begun']


def _child_with(word):
    listed = subprocess.run(['ps', '--ppid', str(os.getpid()), '-o', 'pid=,args='], capture_output=True, text=True)
    return next(int(line.split()[0]) for line in listed.stdout.splitlines() if word in line)


def test_a_mean_of_two_trains_nothing(workshop, project, write_config):
    needs = {'one': write_config('one', size=1), 'two': write_config('two', size=4)}
    opened = project('mean', more=f'crossval = dict(needs={needs!r}, average="probability")')
    document = make_and_gather(workshop, opened)
    gathered = {}
    for name, need in opened.needs.items():
        rows = [row for fold in need.folds for row in read_csv(need.fold_folder(fold) / 'scores.csv')]
        gathered[name] = {row['image_id']: float(row['score']) for row in rows}
    assert gathered['one'] != gathered['two']
    for row in read_csv(opened.folder / 'scores.csv'):
        mean = (gathered['one'][row['image_id']] + gathered['two'][row['image_id']]) / 2
        assert float(row['score']) == pytest.approx(mean)
    assert document['metrics']['pf1/image/auc'] == 1 and len(document['folds']) == 3
    assert not (opened.fold_folder(0) / 'starts').exists()


def test_configs_that_need_each_other_are_refused(project, write_config):
    write_config('first', more=second_stage('second.py'))
    with pytest.raises(MammoError, match=r'needs: found second.py -> first.py -> second.py; expected no circle'):
        project('second', more=second_stage('first.py'))


def test_a_checkpoint_is_tested_again_in_a_folder_of_its_own(workshop, project, tmp_path):
    opened = project()
    make_and_gather(workshop, opened)
    config = opened.fold_folder(1) / CONFIG
    run = workshop.retest(opened, 1, config, tmp_path / 'tta' / 'fold1', tta=True)
    assert workshop.execute([run]).done == [run]
    plain, flipped = (read_csv(folder / 'scores.csv') for folder in (opened.fold_folder(1), run.folder))
    assert float(flipped[0]['score']) == pytest.approx(float(plain[0]['score']) + 0.1)
    assert not (run.folder / 'starts').exists()
    assert workshop.execute([run]).done == []


def test_a_model_of_a_fold_sees_the_test_split_with_what_is_the_folds_own(workshop, project, tmp_path):
    options = {'load_from': '{need.checkpoint}', 'model.notes': '{fold_dir}'}
    project('first', size=2)
    more = f'crossval = dict(needs=dict(need="first.py"), options={options!r})'
    opened = project('second', more=more, pool=['train', 'val'])
    workshop.make(opened, opened.folds)
    run = workshop.on_test_split(opened, 1, tmp_path / 'ensemble' / 'fold1', tta=False)
    cfg = Config.fromfile(run.folder / CONFIG)
    assert cfg.load_from == str(opened.needs['need'].fold_folder(1) / 'epoch_2.pth')
    assert cfg.model.notes == str(opened.fold_folder(1))
    assert 'folds' not in cfg.test_dataloader.dataset and 'crossval' not in cfg
    assert run.checkpoint == opened.fold_folder(1) / 'epoch_2.pth'
    assert workshop.execute([run]).done == [run]
    held_out = {row['image_id'] for row in read_csv(opened.fold_folder(1) / 'scores.csv')}
    assert len(read_csv(run.folder / 'scores.csv')) == 12
    assert held_out.isdisjoint(row['image_id'] for row in read_csv(run.folder / 'scores.csv'))


def test_processes_of_a_fold_are_started_by_torchrun(project, root):
    run = Workshop(root, processes=2).run_of(project(), 1)
    command = run.train_command()
    assert command[1:5] == ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    assert command[5:7] == ['tools/train.py', str(run.folder / CONFIG)]
    assert command[command.index('--launcher') + 1] == 'pytorch'
