"""A cross-validation and those that it needs are on the same images, cut alike."""

import shutil
from pathlib import Path

import pytest

from mmmammo.crossval import Workshop, open_project
from mmmammo.crossval.fold_config import fold_config, placeholders
from mmmammo.structures import MammoError
from mmmammo.testing.cohort_set import make_cohort_set
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ('train', 'val', 'test')


@pytest.fixture(scope='module')
def other_set(tmp_path_factory):
    return make_cohort_set(tmp_path_factory.mktemp('other'), size=(32, 24))


def data_options(name, value):
    return {f'{split}_dataloader.dataset.{name}': value for split in SPLITS}


def data_of(project):
    return [project.cfg[f'{split}_dataloader'].dataset for split in SPLITS]


def opened(name, store, options=None):
    return open_project(f'configs/{name}_phantom.py', ROOT, store, cfg_options=options, folds=2)


def checkpoints_of(project):
    """Leave what a training leaves of every fold."""
    for fold in project.folds:
        folder = project.fold_folder(fold)
        folder.mkdir(parents=True)
        (folder / 'epoch_30.pth').touch()
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_30.pth'))


def test_attention_starts_from_the_holistic_model_of_its_own_fold(tmp_path):
    project = opened('attention', tmp_path)
    holistic = project.needs['holistic']
    checkpoints_of(holistic)
    assert holistic.settings.cut == project.settings.cut and holistic.pool_files() == project.pool_files()
    assert holistic.settings.train_seed == project.settings.train_seed
    for fold in project.folds:
        run = Workshop(ROOT).run_of(holistic, fold)
        second = fold_config(project, fold, placeholders(project, fold, {'holistic': run}))
        first = fold_config(holistic, fold, {})
        assert second.model.holistic == str(holistic.fold_folder(fold) / 'epoch_30.pth')
        for split, part in zip(SPLITS, ('rest', 'held_out', 'held_out'), strict=True):
            one, two = (cfg[f'{split}_dataloader'].dataset for cfg in (first, second))
            assert one.folds == two.folds and one.data_root == two.data_root
            assert (two.folds.part, two.folds.held_out) == (part, fold)


@pytest.mark.parametrize('name', ['attention', 'ensemble', 'nyu_adapted'])
def test_another_set_reaches_what_is_needed(name, tmp_path, other_set):
    project = opened(name, tmp_path, data_options('data_root', str(other_set)))
    for one in project.with_needs():
        assert [dataset.data_root for dataset in data_of(one)] == [str(other_set)] * 3
        assert one.pool_files()[0] == other_set / 'annotations/train.json'
    assert project.needs[min(project.needs)].digest != opened(name, tmp_path).needs[min(project.needs)].digest


def test_a_config_that_is_moved_moves_what_it_needs(tmp_path, other_set):
    project = opened('attention', tmp_path, {'data_root': f'{other_set}/'})
    for one in (project, project.needs['holistic']):
        assert {Path(data.data_root) for data in data_of(one)} == {other_set}


def test_another_target_reaches_what_is_trained_to_the_same(tmp_path):
    project = opened('attention', tmp_path, data_options('positive', ['screening', 'interval']))
    assert [list(dataset.positive) for dataset in data_of(project.needs['holistic'])] == [['screening', 'interval']] * 3


def test_what_is_trained_to_something_else_keeps_its_target(tmp_path):
    options = data_options('exam.classes', ['no', 'yes']) | data_options('four_only', False)
    pretrained = opened('nyu_adapted', tmp_path, options).needs['pretrained']
    assert ['exam' in dataset for dataset in data_of(pretrained)] == [False] * 3
    assert [dataset.four_only for dataset in data_of(pretrained)] == [False] * 3


def test_pipelines_and_all_that_is_no_data_set_stay(tmp_path):
    options = {'test_dataloader.dataset.pipeline.0.full_range': True, 'train_dataloader.batch_size': 3}
    project = opened('attention', tmp_path, options)
    assert project.cfg.train_dataloader.batch_size == 3
    assert project.needs['holistic'].digest == opened('attention', tmp_path).needs['holistic'].digest


def test_both_ensemble_members_share_one_holistic_model(tmp_path, other_set):
    project = opened('ensemble', tmp_path, data_options('data_root', str(other_set)))
    assert project.needs['attention'].needs['holistic'].digest == project.needs['holistic'].digest


def on_another_set(folder):
    return 'for _one in (train_dataloader, val_dataloader, test_dataloader):\n' + (
        f'    _one["dataset"]["data_root"] = {str(folder)!r}\ndel _one\n'
    )


def test_a_need_on_other_images_is_refused_with_both_and_the_remedy(project, write_config, prepared, tmp_path):
    folder = make_prepared_set(tmp_path / 'set2', {'train': 6, 'val': 3, 'test': 3}, size=(16, 12), seed=9)
    more = f'crossval = dict(needs=dict(first={write_config("first")!r}))\n' + on_another_set(folder)
    with pytest.raises(MammoError, match=r'crossval\.needs\.first: found .*first\.py, which cuts') as told:
        project('second', more=more)
    assert f'{prepared}/annotations/train.json' in told.value.reason
    assert f'{folder}/annotations/train.json' in told.value.reason
    assert 'same data_root' in told.value.reason


def test_a_need_on_a_set_that_is_not_there_is_refused(project, write_config, tmp_path):
    first = write_config('first', more=on_another_set(tmp_path / 'nowhere'))
    with pytest.raises(MammoError, match=r'crossval\.needs\.first'):
        project('second', more=f'crossval = dict(needs=dict(first={first!r}))')


def test_the_same_files_elsewhere_are_the_same_images(project, write_config, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / 'copy')
    first = write_config('first', more=on_another_set(tmp_path / 'copy'))
    second = project('second', more=f'crossval = dict(needs=dict(first={first!r}))')
    assert second.needs['first'].pool_files()[0] == tmp_path / 'copy/annotations/train.json'


def test_one_split_on_another_set_is_refused(project, tmp_path):
    options = {'train_dataloader.dataset.data_root': str(tmp_path)}
    with pytest.raises(MammoError, match=r'val_dataloader\.dataset\.data_root: found .*cut together.*train, val and'):
        project(cfg_options=options)
