"""What a cross-validation is asked to do, the config of a fold, and how the cut came out."""

import json
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config
from rich.console import Console
from toy_folds import CONFIG

from mmmammo.crossval import count_folds, open_project
from mmmammo.crossval.fold_config import fold_config, fold_steps, placeholders
from mmmammo.crossval.terminal import counts_table, numbers_table
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
CROSS_VALIDATED = [
    f'configs/{name}_{data}.py'
    for name in ('holistic', 'attention', 'ensemble', 'nyu_pretrained', 'nyu_adapted', 'mil')
    for data in ('cohort', 'phantom')
]


def config_of(project, fold=0):
    return fold_config(project, fold, placeholders(project, fold, {}))


def test_the_command_line_wins_over_the_config_and_the_config_over_defaults(project):
    entry = 'crossval = dict(folds=4, seed=1, stratify="has_finding", unit="exam", pool=("train", "val"))'
    cut = project(more=entry, folds=None).settings.cut
    assert (cut.n, cut.seed, cut.stratify, cut.unit, cut.splits) == (4, 1, 'has_finding', 'exam', ('train', 'val'))
    cut = project(more=entry, folds=2, fold_seed=9, pool=['train']).settings.cut
    assert (cut.n, cut.seed, cut.splits) == (2, 9, ('train',))
    plain = project().settings
    assert (plain.cut.seed, plain.cut.stratify, plain.cut.unit, plain.train_seed) == (121, 'cancer', 'image', 5)
    assert project(train_seed=0).settings.train_seed == 0


@pytest.mark.parametrize(
    ('entry', 'said', 'words'),
    [
        ('', {'folds': None}, r'folds: found None; expected a whole number from 2 on\. Remedy: give --folds N'),
        ('', {'folds': 1}, 'folds: found 1'),
        ('crossval = dict(fold=4)', {}, 'keys: found fold; expected only folds'),
        ('crossval = dict(pool=("val",))', {}, 'pool: found'),
        ('crossval = dict(prepare=[dict(command="x")])', {}, r"prepare: found an entry with keys \['command'\]"),
        ('crossval = dict(average="probability")', {}, "average: found 'probability' of 0 needs"),
        ('crossval = dict(unit="breast")', {}, "unit: found 'breast'"),
        ('test_evaluator = [dict(type="mmmammo.PredictionDump")]', {}, r'test_evaluator: found mmmammo\.Prediction'),
        ('param_scheduler = [dict(type="ReduceOnPlateauLR", monitor="x")]', {}, 'found ReduceOnPlateauLR.*held out'),
        ('param_scheduler = dict(type="ReduceOnPlateauLR", monitor="x")', {}, r'param_scheduler.*crossval\.options'),
        ('custom_hooks = [dict(type="EarlyStoppingHook", monitor="x")]', {}, 'hooks: found EarlyStoppingHook'),
        ('crossval = dict(needs=dict(a="nowhere.py"))', {}, r'nowhere\.py: config: found no such file'),
    ],
)
def test_settings_that_make_no_sense_are_refused(project, entry, said, words):
    with pytest.raises(MammoError, match=words):
        project(more=entry, **said)


def test_a_fold_trains_on_the_rest_and_tests_what_is_held_out(project):
    cfg = config_of(project(folds=4, pool=['train', 'val']), 2)
    parts = {split: cfg[f'{split}_dataloader'].dataset.folds for split in ('train', 'val', 'test')}
    assert {split: part.part for split, part in parts.items()} == {
        'train': 'rest',
        'val': 'held_out',
        'test': 'held_out',
    }
    for part in parts.values():
        assert (part.n, part.held_out, part.seed, part.stratify) == (4, 2, 121, 'cancer')
        assert part.pool == ['annotations/train.json', 'annotations/val.json']
    assert not cfg.train_dataloader.persistent_workers
    assert cfg.custom_hooks[-1].type == 'mmmammo.EpochSeedHook'
    assert 'crossval' not in cfg


def test_a_data_set_inside_wrappers_is_cut_too(project):
    more = 'train_dataloader["dataset"] = dict(type="RepeatDataset", times=2, dataset=train_dataloader["dataset"])'
    outer = config_of(project(more=more)).train_dataloader.dataset
    assert outer.dataset.folds.part == 'rest' and 'folds' not in outer


def test_two_data_sets_in_one_loader_are_refused_as_both_would_hold_the_whole_part(project):
    more = (
        'train_dataloader["dataset"] = dict(type="ConcatDataset", '
        'datasets=[train_dataloader["dataset"], dict(val_dataloader["dataset"])])'
    )
    with pytest.raises(MammoError, match=r'train_dataloader\.dataset: found 2 data sets, each of which would hold'):
        project(more=more)


def test_the_written_config_is_the_config(project, tmp_path):
    cfg = config_of(project(more='model["names"] = {"1": 0, "2": [1, 2.5, None]}'))
    path = tmp_path / CONFIG
    path.write_text(cfg.pretty_text)
    assert Config.fromfile(path).to_dict() == cfg.to_dict()


def test_options_are_written_in_with_their_placeholders(project):
    options = {'model.rois': '{fold_dir}/rois{fold}.json', 'model.size': 3, 'model.names': ['{config}', 'x']}
    opened = project(more=f'crossval = dict(options={options!r})')
    cfg = config_of(opened, 1)
    folder = opened.fold_folder(1)
    assert cfg.model.rois == f'{folder}/rois1.json' and cfg.model.size == 3
    assert cfg.model.names == [str(folder / CONFIG), 'x']


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'load_from': '{holistic.checkpoint}'}, r'placeholders: found \{holistic.checkpoint\}.*expected some of'),
        ({'train_cfg.max_epochs.x': 1}, r'crossval\.options: found'),
    ],
)
def test_options_that_cannot_be_are_refused(project, options, words):
    with pytest.raises(MammoError, match=words):
        config_of(project(more=f'crossval = dict(options={options!r})'))


def test_another_schedule_for_the_folds_is_taken(project):
    plateau = 'param_scheduler = [dict(type="ReduceOnPlateauLR", monitor="x")]'
    steps = 'crossval = dict(options=dict(param_scheduler=[dict(type="MultiStepLR", milestones=[2])]))'
    cfg = config_of(project(more=f'{plateau}\n{steps}'))
    assert cfg.param_scheduler == [{'type': 'MultiStepLR', 'milestones': [2]}]


@pytest.mark.parametrize('name', CROSS_VALIDATED)
def test_every_config_that_has_a_cut_can_be_cross_validated(name, tmp_path):
    assert open_project(name, ROOT, tmp_path).settings.cut.n >= 2


@pytest.mark.parametrize(
    'config', sorted((ROOT / 'configs' / 'ihrrb_dino').glob('*_finetune.py')), ids=lambda p: p.stem
)
def test_a_second_stage_begins_from_the_same_fold_of_the_first(config, tmp_path):
    opened = open_project(str(config), ROOT, tmp_path, folds=3)
    (first,) = opened.needs.values()
    assert Path(opened.cfg.load_from).parent.name == Path(first.config).stem
    assert first.settings.cut == opened.settings.cut and not first.gives_scores
    assert opened.settings.options == {'load_from': '{first.checkpoint}'}


@pytest.mark.parametrize('name', ['agrcnn_cbis', 'agrcnn_phantom', 'agdino_phantom', 'agrcnn/agrcnn_nodes_13_17_cbis'])
def test_the_prior_of_a_fold_is_that_of_its_training_patients(name, tmp_path):
    opened = open_project(f'configs/{name}.py', ROOT, tmp_path, folds=3)
    cfg, folder = config_of(opened, 1), opened.fold_folder(1)
    (step,) = fold_steps(opened, placeholders(opened, 1, {}))
    command = shlex.split(step['command'])
    assert command[:4] == ['tools/build_geometric_prior.py', f'{folder}/{CONFIG}', '--out', step['makes']]
    assert Path(step['makes']).parent == folder
    assert step['makes'] in str(cfg.model) and f'{cfg.data_root}/geometric_prior' not in str(cfg.model)
    assert ('13 17' in step['command']) == ('13_17' in name)


def render(table, width=200):
    console = Console(width=width, record=True)
    console.print(table)
    return console.export_text()


def test_the_cut_is_counted(project):
    counts = count_folds(project())
    assert counts.values == ('0', '1') and counts.patients == counts.exams == (4, 4, 4)
    assert [sum(images.values()) for images in counts.images] == [16, 16, 16]
    assert sum(images['1'] for images in counts.images) == 14 and not counts.warnings
    assert 'images, cancer=1' in render(counts_table(counts))


@pytest.fixture
def relabel(project, tmp_path):
    """A function that opens a project on a set whose labels were changed by a function of the image."""

    def _relabel(label_of, **said):
        root = make_prepared_set(tmp_path / 'other', {'train': 6, 'val': 3, 'test': 3}, size=(16, 12))
        for split in ('train', 'val', 'test'):
            path = root / 'annotations' / f'{split}.json'
            document = json.loads(path.read_text())
            for image in document['images']:
                image['labels'] = label_of(image)
            path.write_text(json.dumps(document))
        more = 'for _loader in (train_dataloader, val_dataloader, test_dataloader):\n' + (
            f'    _loader["dataset"]["data_root"] = {str(root)!r}\ndel _loader'
        )
        return project(more=more, **said)

    return _relabel


def test_a_fold_without_positives_is_told_before_anything_is_trained(relabel):
    counts = count_folds(relabel(lambda image: {'cancer': int(image['exam_id'] in ('train_000', 'val_000'))}))
    assert len(counts.warnings) == 1
    assert 'has no image with cancer=1: numbers that need one are undefined there' in counts.warnings[0]
    assert 'warning: fold' in render(counts_table(counts))


@pytest.mark.parametrize(
    ('label_of', 'words'),
    [
        (lambda image: {'cancer': 0}, r'fold 0: found only cancer=0 in all other folds'),
        (lambda image: {'cancer': int(image['exam_id'] == 'val_000')}, r'found only cancer=0 in all other folds'),
        (lambda image: {'density': 'B'}, r"stratify: found 'cancer'; expected a label of some image, of density"),
    ],
)
def test_a_training_set_without_contrast_is_refused(relabel, label_of, words):
    with pytest.raises(MammoError, match=words):
        count_folds(relabel(label_of))


def test_more_folds_than_patients_are_refused(project):
    with pytest.raises(MammoError, match='found 12 patients; expected enough for 13 folds'):
        count_folds(project(folds=13))


def test_the_table_of_numbers_says_what_is_undefined():
    document = {
        'metrics': {'x': 0.9, 'x_low': 0.8, 'x_high': 0.95, 'oof/image/pf1': None},
        'folds': [{'fold': 0, 'n': 1200, 'metrics': {'x': 1.0}}, {'fold': 1, 'n': 34, 'metrics': {'x': None}}],
        'mean': {'x': {'value': 1.0, 'sd': None, 'n': 1}},
        'reasons': {'oof/image/pf1': 'no positive label'},
    }
    text = render(numbers_table(document))
    assert '1,234 rows of 2 folds' in text and 'no positive label: oof/image/pf1' in text
    rows = [[cell.strip() for cell in line.split('│')[1:-1]] for line in text.splitlines() if line.startswith('│')]
    assert all(len(line) <= 80 for line in render(numbers_table(document), 80).splitlines())
    assert rows == [['oof/image/pf1', '-', '', '-', '-'], ['x', '0.9', '0.8 to 0.95', '1', '-']]
