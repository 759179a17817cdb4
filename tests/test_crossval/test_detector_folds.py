"""Folds of a detector: boxes of all folds as one file, and no file that knows held-out patients."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from toy_folds import CONFIG, starts

from mmmammo.crossval import Workshop, count_folds, gather_detections, open_project
from mmmammo.crossval.detections import merge_detections
from mmmammo.crossval.fold_config import fold_config, placeholders
from mmmammo.crossval.terminal import numbers_table
from mmmammo.datasets.fold_part import FoldPart
from mmmammo.io.exam_index import read_index
from mmmammo.io.ground_truth import read_ground_truth
from mmmammo.io.predictions import read_predictions, write_predictions
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import CATEGORIES, make_prepared_set

SPLITS = ('train', 'val', 'test')
TEST = """
import json, pathlib, runpy, shutil, sys
work = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
dataset = runpy.run_path(sys.argv[1])['test_dataloader']['dataset']
fold = dataset['folds']['held_out']
shutil.copy(pathlib.Path(dataset['data_root'], f'fold{fold}.json'), work / 'predictions.json')
work.joinpath('metrics.json').write_text(json.dumps({'metrics': {'froc/recall@0.50': fold / 4}}))
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
        (PRIOR + "model['neck'][1]['prior'] = f'{data_root}/other.json'", r'model: found .*other\.json'),
        ("test_evaluator[0]['cross_view'] = 'weights.json'", 'cross_view of mmmammo.FROCMetric: found weights.json'),
        ("test_evaluator = [dict(type='mmmammo.PredictionDump', path='x')]", 'a metric of scores.*or of detections'),
        ("crossval = dict(average='probability', needs=dict(a='detector.py'))", 'test_evaluator: found mmmammo.FROCM'),
    ],
)
def test_what_would_know_held_out_patients_or_leaves_nothing_is_refused(detector, more, words):
    with pytest.raises(MammoError, match=words):
        detector(more)


def test_a_start_from_a_training_on_this_very_set_is_refused(detector, own_set, tmp_path):
    trained = tmp_path / 'epoch_9.pth'
    more = f'load_from = {str(trained)!r}'
    for root, refused in ((f'{own_set}/', True), ('/elsewhere', False)):
        torch.save({'state_dict': {}, 'meta': {'cfg': f"a = 1\ndata_root = '{root}'\n"}}, trained)
        if refused:
            with pytest.raises(MammoError, match=r'load_from: found .*epoch_9\.pth, which was trained on this'):
                detector(more)
            option = "crossval = dict(options=dict(load_from='{fold_dir}/first.pth'))"
            assert detector(f'{more}\n{option}').gives_scores is False
        else:
            detector(more)


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
