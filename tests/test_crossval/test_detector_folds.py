"""Folds of a detector: boxes of all folds as one file, and no file that knows held-out patients."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from toy_folds import CONFIG, starts

from mmmammo.crossval import Workshop, count_folds, gather_detections, open_project
from mmmammo.crossval.detections import merge_detections
from mmmammo.crossval.fold_config import fold_config, placeholders
from mmmammo.crossval.fold_inputs import renewed_inputs
from mmmammo.crossval.report import NOT_OF_BOXES
from mmmammo.crossval.terminal import numbers_table
from mmmammo.crossval.trained_on import trained_on
from mmmammo.datasets.fold_part import FoldPart
from mmmammo.io.exam_index import read_index
from mmmammo.io.ground_truth import read_ground_truth
from mmmammo.io.predictions import read_predictions, write_predictions
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.testing.prepared_set import CATEGORIES, make_prepared_set

SPLITS = ('train', 'val', 'test')
TEST = """
import json, pathlib, runpy, shutil, sys
work = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
dataset = runpy.run_path(sys.argv[1])['test_dataloader']['dataset']
fold = dataset['folds']['held_out']
shutil.copy(pathlib.Path(dataset['data_root'], f'fold{fold}.json'), work / 'predictions.json')
logged = {'froc/recall@0.50': fold / 4, 'matching/recall': 0.5, 'matching/recall_low': 0.4}
work.joinpath('metrics.json').write_text(json.dumps({'metrics': logged}))
"""
PRIOR_TOOL = """
import pathlib, sys
config, _, out = sys.argv[1:4]
pathlib.Path(out).write_text(pathlib.Path(config).parent.name)
"""
DETECTOR = """
test_evaluator = [dict(type='mmmammo.FROCMetric', iou_thr=0.3), dict(type='mmmammo.APMetric', iou_thrs=(0.5,))]
for _one in (train_dataloader, val_dataloader, test_dataloader):
    _one['dataset'] = dict(_one['dataset'], type='mmmammo.MammogramDataset')
    del _one['dataset']['labels']
del _one
"""
PRIOR = """
prior = f'{data_root}/prior.json'
inputs = [
    dict(makes=f'{data_root}/prepare.json', command=f'tools/prepare.py --out {data_root}'),
    dict(makes=prior, command=f'tools/prior.py {data_root}/annotations/train.json --out {prior}'),
]
model['neck'] = [dict(type='FPN'), dict(type='Graph', prior=prior)]
"""
FROC_KEYS = ('froc/recall@0.50', 'froc/recall@1.00')


@pytest.fixture
def own_set(tmp_path):
    return make_prepared_set(tmp_path / 'own', {'train': 6, 'val': 3, 'test': 3}, size=(32, 24))


@pytest.fixture
def detector(root, own_set):
    """A function that opens a toy detector in three folds; a fold's test says what ``fold<k>.json`` says."""
    (root / 'tools' / 'test.py').write_text(TEST)
    (root / 'tools' / 'prior.py').write_text(PRIOR_TOOL)

    def _detector(more='', data=own_set, **said):
        from toy_folds import CONFIG_TEXT

        path = root / 'detector.py'
        path.write_text(CONFIG_TEXT.format(root=data, size=1, more=DETECTOR + more))
        return open_project(str(path), root, root / 'store', **({'folds': 3} | said))

    return _detector


def truth_of(data, project):
    """The images of each fold, without detections."""
    images = [image for split in SPLITS for image in read_ground_truth(data / f'annotations/{split}.json').images]
    part = project.settings.cut.part(project.cfg, 0, 'rest')
    folds = part.folds([image for path in project.pool_files() for image in read_index(path).images])
    return {fold: [image for image in images if folds[image.patient_id] == fold] for fold in project.folds}


def found(image, score):
    """All lesions of an image."""
    return replace(image, boxes=image.gt_boxes, labels=image.gt_labels, scores=np.full(len(image.gt_boxes), score))


def false(image, score):
    """One box in the corner, where no lesion is."""
    return replace(image, boxes=np.array([[0.0, 0, 2, 2]]), labels=np.array([0]), scores=np.array([score]))


@pytest.fixture
def gathered(detector, own_set, root):
    """Fold 0 finds all its lesions, fold 1 has a false positive in each image and fold 2 nothing."""
    project = detector()
    folds = truth_of(own_set, project)
    says = {0: lambda image: found(image, 0.9), 1: lambda image: false(image, 0.5), 2: lambda image: image}
    for fold, images in folds.items():
        write_predictions(own_set / f'fold{fold}.json', [says[fold](image) for image in images], CATEGORIES)
    outcome = Workshop(root, jobs=2).make(project, project.folds)
    assert not outcome.failed
    folders = {fold: project.fold_folder(fold) for fold in project.folds}
    return project, folds, gather_detections(project, folders, project.folder, {})


def test_boxes_of_all_folds_are_judged_together(gathered):
    project, folds, document = gathered
    images, categories = read_predictions(project.folder / 'predictions.json')
    assert categories == CATEGORIES
    assert [image.image_id for image in images] == list(range(1, 49))
    lesions = {fold: sum(len(image.gt_boxes) for image in of_fold) for fold, of_fold in folds.items()}
    assert sum(lesions.values()) == 14 and lesions[0]
    # above the false positives, which are in 16 of 48 images, there are the lesions of fold 0 and nothing else
    assert document['metrics']['froc/recall@0.50'] == lesions[0] / 14
    assert document['metrics']['froc/n_lesions'] == 14 and document['metrics']['ap/0.50'] > 0
    assert document['kind'] == 'detections' and document['settings']['iou_thr'] == 0.3
    assert document['split'] == 'out-of-fold'
    assert [(fold['n'], fold['n_lesions']) for fold in document['folds']] == [(16, lesions[k]) for k in range(3)]
    assert document['mean']['froc/recall@0.50'] == {'value': 0.25, 'sd': 0.25, 'n': 3}
    assert document['metrics']['matching/recall'] is None and document['mean']['matching/recall']['value'] == 0.5
    assert document['reasons'] == {'matching/recall': NOT_OF_BOXES}
    assert json.loads((project.folder / 'metrics.json').read_text()) == document
    table = '\n'.join(str(cell) for cell in numbers_table(document).renderables[0].columns[0].cells)
    assert all(key in table for key in FROC_KEYS)


def test_what_the_prepared_set_says_of_images_reaches_the_subgroups(gathered):
    _, _, document = gathered
    sizes = {
        row['value']: row['n']['images']
        for row in document['subgroups']
        if row['by'] == 'view' and row['value'] != 'unknown'
    }
    assert sizes == {'CC': 24, 'MLO': 24}
    assert len(document['files']) == 1 + len(SPLITS)


def test_options_of_the_folds_are_those_of_the_numbers_of_all(detector, own_set, root):
    project = detector("crossval = dict(options={'test_evaluator': [dict(type='mmmammo.FROCMetric', iou_thr=0.6)]})")
    for fold, images in truth_of(own_set, project).items():
        write_predictions(own_set / f'fold{fold}.json', [found(image, 0.9) for image in images], CATEGORIES)
    Workshop(root, jobs=2).make(project, project.folds)
    folders = {fold: project.fold_folder(fold) for fold in project.folds}
    assert gather_detections(project, folders, project.folder, {})['settings']['iou_thr'] == 0.6


def test_lesion_ids_and_boxes_that_do_not_count_stay(tmp_path):
    boxes, spare = np.array([[1.0, 1, 5, 5]]), np.array([[6.0, 6, 8, 8]])
    who = {'file_name': 'a.png', 'width': 9, 'height': 9, 'laterality': 'L', 'view': 'CC'}
    images = [
        ImagePrediction(
            number, **who, exam_id=f'e{number}', patient_id=f'p{number}', boxes=boxes, scores=np.array([0.5]),
            labels=np.array([0]), gt_boxes=boxes, gt_labels=np.array([1]), gt_lesion_ids=(f'lesion{number}',),
            ignored_boxes=spare, ignored_labels=np.array([0]),
        )
        for number in (2, 1)
    ]  # fmt: skip
    for fold, image in enumerate(images):
        write_predictions(tmp_path / f'{fold}.json', [image], CATEGORIES)
    merged = merge_detections({fold: tmp_path / f'{fold}.json' for fold in range(2)}, tmp_path / 'all.json')
    again, _ = read_predictions(tmp_path / 'all.json')
    for image, number in zip(again, (1, 2), strict=True):
        assert image.image_id == number and image.gt_lesion_ids == (f'lesion{number}',)
        assert image.ignored_boxes.tolist() == spare.tolist() and image.gt_boxes.tolist() == boxes.tolist()
    assert [image.image_id for image in merged] == [1, 2]


def test_an_image_or_patient_of_two_folds_is_refused(gathered, tmp_path):
    project, folds, _ = gathered
    parts = {fold: project.fold_folder(fold) / 'predictions.json' for fold in project.folds}
    before = (project.folder / 'predictions.json').read_bytes()
    stranger = replace(folds[0][0], image_id=99)
    for image, words in ((folds[0][0], 'image .* also in fold 0'), (stranger, 'patient .* also in fold 0')):
        write_predictions(parts[1], [image], CATEGORIES)
        with pytest.raises(MammoError, match=words):
            merge_detections(parts, project.folder / 'predictions.json')
    write_predictions(parts[1], [], ('mass',))
    with pytest.raises(MammoError, match='categories: found'):
        merge_detections(parts, project.folder / 'predictions.json')
    assert (project.folder / 'predictions.json').read_bytes() == before


def test_what_is_computed_from_the_training_set_is_computed_in_every_fold(detector, own_set, root):
    project = detector(PRIOR)
    for fold, images in truth_of(own_set, project).items():
        write_predictions(own_set / f'fold{fold}.json', images, CATEGORIES)
    outcome = Workshop(root, jobs=2).make(project, project.folds)
    assert not outcome.failed and starts(project, 2) == ['begun']
    for fold in project.folds:
        folder = project.fold_folder(fold)
        cfg = Config.fromfile(folder / CONFIG)
        assert cfg.model.neck[1].prior == str(folder / 'prior.json')
        assert (folder / 'prior.json').read_text() == f'fold{fold}'  # made from the config of the fold
        assert [step.makes for step in cfg.inputs] == [f'{own_set}/prepare.json']
    assert not (own_set / 'prior.json').exists()


def test_an_option_of_the_folds_wins_over_what_is_computed(detector):
    options = {'model.neck.1.prior': '{fold_dir}/mine.json'}
    project = detector(PRIOR + f'crossval = dict(options={options!r})')
    cfg = fold_config(project, 1, placeholders(project, 1, {}))
    assert cfg.model.neck[1].prior == str(project.fold_folder(1) / 'mine.json')


@pytest.mark.parametrize(
    ('more', 'words'),
    [
        (
            "model['prior'] = f'{data_root}/prior.json'",
            r'model: found .*prior\.json, which was computed from the prepared',
        ),
        (PRIOR + "model['neck'][1]['prior'] = f'{data_root}/deep/other.json'", r'model: found .*other\.json'),
        ("inputs = [dict(makes='far/p.json', command='x')]\nmodel['prior'] = 'far/p.json'", 'model: found far/p.json'),
        ("test_evaluator[0]['cross_view'] = 'weights.json'", 'cross_view of mmmammo.FROCMetric: found weights.json'),
        ("test_evaluator = [dict(type='mmmammo.PredictionDump', path='x')]", 'a metric of scores.*or of detections'),
        ("crossval = dict(average='probability', needs=dict(a='detector.py'))", 'test_evaluator: found mmmammo.FROCM'),
    ],
)
def test_what_would_know_held_out_patients_or_leaves_nothing_is_refused(detector, more, words):
    with pytest.raises(MammoError, match=words):
        detector(more)


TRAINED = """
data_root = '{unused}'
train_dataloader = dict(batch_size=2, dataset=dict(type='RepeatDataset', dataset=dict(
    ann_file='annotations/train.json', data_root='{root}', pipeline=[dict(type='X', scale=(1, -2))])))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.json', data_root='{unused}'))
"""


@pytest.mark.parametrize('start', ['load_from = {!r}', "model['backbone'] = dict(init_cfg=dict(checkpoint={!r}))"])
def test_weights_that_were_trained_on_this_very_set_are_refused(detector, own_set, tmp_path, start):
    trained = tmp_path / 'epoch_9.pth'
    more = start.format(str(trained))
    for meta, refused in (
        ({'cfg': TRAINED.format(root=f'{own_set}/', unused='/elsewhere')}, True),
        ({'cfg': TRAINED.format(root='/elsewhere', unused=own_set)}, False),
        ({'cfg': 'no config ('}, False),
        ({}, False),
    ):
        torch.save({'state_dict': {}, 'meta': meta}, trained)
        if refused:
            with pytest.raises(MammoError, match=r'found .*epoch_9\.pth, which was trained on this'):
                detector(more)
        else:
            assert not detector(more).gives_scores
    torch.save({'state_dict': {}, 'meta': {'cfg': TRAINED.format(root=own_set, unused='')}}, trained)
    option = "crossval = dict(options={'load_from': '{fold_dir}/a.pth', 'model.backbone': None})"
    assert detector(f'{more}\n{option}').settings.options['load_from'] == '{fold_dir}/a.pth'


def test_what_the_text_of_a_config_would_run_is_not_run(tmp_path):
    mark = tmp_path / 'mark'
    text = f"train_dataloader = dict(dataset=dict(ann_file='a', data_root=open({str(mark)!r}, 'w').name))"
    torch.save({'state_dict': {}, 'meta': {'cfg': text}}, tmp_path / 'a.pth')
    assert trained_on(tmp_path / 'a.pth') == set() and not mark.exists()


def test_inputs_are_renewed_wherever_the_data_sets_were_moved_to(detector, own_set, tmp_path):
    moved = make_prepared_set(tmp_path / 'moved', {'train': 6, 'val': 3, 'test': 3}, size=(32, 24))
    options = {f'{split}_dataloader.dataset.data_root': str(moved) for split in SPLITS}
    project = detector(PRIOR, cfg_options=options)
    cfg = fold_config(project, 2, placeholders(project, 2, {}))
    assert cfg.train_dataloader.dataset.data_root == str(moved)
    assert cfg.model.neck[1].prior == str(project.fold_folder(2) / 'prior.json')


def test_what_is_computed_from_a_renewed_file_is_renewed():
    steps = [
        {'makes': 'x/a.json', 'command': 'tools/a.py --out=x/a.json --index=/far/annotations/train.json'},
        {'makes': 'y/a.json', 'command': 'tools/b.py x//a.json other.json --out y/a.json'},
        {'makes': 'x/c.json', 'command': 'tools/c.py x/annotations/val.json --out x/c.json'},
    ]
    dataset = {'data_root': 'x', 'ann_file': 'annotations/train.json'}
    cfg = Config({'inputs': steps, 'train_dataloader': {'dataset': dataset}})
    first, second = renewed_inputs(cfg).values()
    assert first['makes'] == '{fold_dir}/a.json' and second['makes'] == '{fold_dir}/1_a.json'
    assert shlex.split(first['command']) == ['tools/a.py', '--out={fold_dir}/a.json', '--index={config}']
    assert shlex.split(second['command'])[1:] == ['{fold_dir}/a.json', 'other.json', '--out', '{fold_dir}/1_a.json']


def test_a_set_in_which_every_image_has_a_lesion_can_be_cut(detector, tmp_path):
    data = make_prepared_set(
        tmp_path / 'all', dict.fromkeys(SPLITS, 2), size=(32, 24), views=[('L', 'CC')], positive_every=1
    )
    counts = count_folds(detector(data=data))
    assert counts.values == ('1',) and counts.images == ({'1': 2},) * 3


def test_a_set_with_boxes_in_one_fold_only_is_refused(detector, tmp_path):
    data = make_prepared_set(tmp_path / 'few', dict.fromkeys(SPLITS, 2), size=(32, 24), positive_every=9)
    for split in ('val', 'test'):
        path = data / 'annotations' / f'{split}.json'
        path.write_text(json.dumps(json.loads(path.read_text()) | {'annotations': []}))
    with pytest.raises(MammoError, match=r'findings: found none but in fold \d of 3'):
        count_folds(detector(data=data))


def test_files_that_share_image_ids_are_not_pooled(detector, own_set):
    path = own_set / 'annotations' / 'val.json'
    document = json.loads(path.read_text())
    document['images'][0]['id'] = 1
    document['annotations'] = []
    path.write_text(json.dumps(document))
    from mmmammo.registry import DATASETS

    project = detector()
    part = FoldPart.of(project.settings.cut.part(project.cfg, 0, 'rest').of_config())
    dataset = dict(project.cfg.train_dataloader.dataset, folds=part.of_config(), lazy_init=True)
    with pytest.raises(MammoError, match='images: id: found 1 more than once'):
        DATASETS.build(dataset).read_images()
