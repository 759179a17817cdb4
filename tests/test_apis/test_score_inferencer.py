"""Scores of a user's files: those of a prepared set to the bit, put together as the config's metrics do."""

import copy
import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope

from mmmammo.apis import ExamInferencer, ScoreInferencer, ScoreWriter
from mmmammo.apis.runs import for_testing
from mmmammo.evaluation.metrics.classifier_samples import scores_of_sample
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions, SetOptions, prepare_dataset, prepare_image
from mmmammo.prepare import exams as prepare_exams
from mmmammo.sources import get_source
from mmmammo.structures import Laterality, MammoError, View

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
OPTIONS = PrepareOptions(height=200, crop=False)
MODELS_BY_NAME = {
    'holistic_phantom': ('no screening cancer', 'screening cancer'),
    'attention_phantom': ('no screening cancer', 'screening cancer'),
    'mil_phantom': ('exam_outcome',),
    'nyu_pretrained_phantom': ('benign', 'malignant'),
    'selfdistill_phantom': ('cancer',),
}


@pytest.fixture(scope='module')
def exams(tmp_path_factory):
    """An exam of four views with a repeat, one of two views, and a file that is no mammogram."""
    root = tmp_path_factory.mktemp('exams')
    for index, kept in enumerate((('L_CC', 'L_MLO', 'R_CC', 'R_MLO'), ('L_CC', 'R_MLO'))):
        for view in make_exam(PhantomConfig(height=256), seed=3, index=index).views:
            if view.name in kept:
                path = root / f'exam{index}' / f'{view.name}.png'
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), (view.image * 65535).astype(np.uint16))
    again = cv2.imread(str(root / 'exam0' / 'L_CC.png'), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(root / 'exam0' / 'L_CC_2.png'), again // 2)
    (root / 'exam1' / 'L_MLO.dcm').write_bytes(b'\0' * 128 + b'DICM cut short')
    return root


@pytest.fixture(scope='module')
def checkpoint_of(tmp_path_factory):
    """Random weights of a config."""
    folder = tmp_path_factory.mktemp('weights')

    def make(name):
        path = folder / f'{name}.pth'
        if not path.exists():
            torch.manual_seed(0)
            cfg = for_testing(Config.fromfile(CONFIGS / f'{name}.py'))
            init_default_scope(cfg.default_scope)
            model = MODELS.build(copy.deepcopy(cfg.model))
            meta = {'dataset_meta': {'classes': MODELS_BY_NAME[name]}}
            torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
        return path

    return make


@pytest.fixture(scope='module')
def results(exams, checkpoint_of):
    """Name -> what a model says of both exams, each made once."""
    known = {}

    def of(name):
        if name not in known:
            score = ScoreInferencer(CONFIGS / f'{name}.py', checkpoint_of(name), 'cpu', OPTIONS)
            known[name] = (score, score(exams))
        return known[name]

    return of


def logit(p):
    return math.log(p / (1 - p))


@pytest.mark.parametrize('name', MODELS_BY_NAME)
def test_every_kind_of_classifier_scores_what_it_can(results, name):
    score, (first, second) = results(name)
    assert (first.exam_id, second.exam_id) == ('exam0', 'exam1')
    assert first.missing_views == () and second.missing_views == ('R CC', 'L MLO')
    assert 'exam1/L_MLO.dcm' in {row.path for row in second.rejected}
    for exam in (first, second):
        assert len(exam.classes) == 1 and exam.exam.shape == (1,)
        assert all(0 < image.scores[0] < 1 for image in exam.images)
    assert len(first.images) == (4 if name == 'nyu_pretrained_phantom' else 5)


def test_scores_are_those_of_a_prepared_set(results, exams, tmp_path):
    """Preparing, reading and testing in three steps gives the same numbers to the bit."""
    records = list(get_source('folder').list_records(exams))
    prepare_dataset(records, tmp_path, OPTIONS, SetOptions(fractions=(0, 0, 1)), categories=('mass',), source='folder')
    score, found = results('holistic_phantom')
    cfg = Config.fromfile(CONFIGS / 'holistic_phantom.py')
    cfg.test_dataloader.dataset.update(data_root=str(tmp_path), unknown='none', exams='any', folds=None)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    with torch.no_grad():
        tested = [sample for view in dataset for sample in score.model.test_step(pseudo_collate([view]))]
    expected = sorted((one.exam_id, one.laterality, one.view, one.pred_score[1].item()) for one in tested)
    said = [
        (exam.exam_id, one.prepared.image.laterality, one.prepared.image.view, one.scores[0].item())
        for exam in found
        for one in exam.images
    ]
    assert sorted(said) == expected and len(said) == 7


def test_paper_4_adds_log_odds_up_over_a_breast_and_takes_the_worse_one(results):
    _, (first, _) = results('holistic_phantom')
    sums = {'L': 0.0, 'R': 0.0}
    for image in first.images:
        sums[image.prepared.image.laterality.value] += logit(image.scores[0]) * image.counts
    assert {side: pytest.approx(total) for side, total in sums.items()} == {k: v[0] for k, v in first.breasts.items()}
    assert first.exam[0] == pytest.approx(max(sums.values()))


def test_rsna_takes_the_mean_of_a_breast(results):
    score, (first, _) = results('selfdistill_phantom')
    assert (score.rule.breast, score.rule.scale) == ('mean', 'probabilities')
    left = [i.scores[0] for i in first.images if i.prepared.image.laterality is Laterality.LEFT]
    assert first.breasts['L'][0] == pytest.approx(np.mean(left)) and len(left) == 3


def test_a_model_of_exams_says_nothing_of_breasts(results):
    _, found = results('mil_phantom')
    for exam in found:
        assert exam.breasts == {} and {image.scores[0] for image in exam.images} == {exam.exam[0]}


def test_four_places_take_one_image_each(results):
    _, (first, second) = results('nyu_pretrained_phantom')
    assert first.classes == ('malignant',), 'the model tells of its second output only'
    (left_out,) = first.rejected
    assert left_out.path.startswith('exam0/L_CC') and 'a place for one image of each' in left_out.reason
    for exam in (first, second):
        for image in exam.images:
            side = image.prepared.image.laterality.value
            assert image.scores[0] == exam.breasts[side][0]
        assert exam.exam[0] == max(scores[0] for scores in exam.breasts.values())


def test_windows_lie_in_the_files(results):
    _, (first, _) = results('attention_phantom')
    for image in first.images:
        x1, y1, x2, y2 = image.window
        assert 0 <= x1 < x2 <= image.prepared.quality.columns and 0 <= y1 < y2 <= image.prepared.quality.rows


def without_side(image):
    unknown = replace(image.prepared.image, laterality=Laterality.UNKNOWN)
    return replace(image, prepared=replace(image.prepared, image=unknown))


def put_together(score, images):
    counted = score._counted(images)
    return [image.counts for image in counted], *score._put_together(counted)


@pytest.mark.parametrize('name', ['holistic_phantom', 'selfdistill_phantom'])
def test_images_of_unknown_side_count_in_no_breast(results, name):
    score, (_, second) = results(name)
    left, right = second.images
    alone = put_together(score, [left])
    counts, breasts, exam = put_together(score, [left, without_side(right)])
    assert counts == [True, False] and breasts.keys() == {'L'} and exam[0] == alone[2][0]
    assert put_together(score, [without_side(left)]) == ([False], {}, None)


def test_a_repeat_and_another_projection_are_scored_but_not_summed(results):
    score, (first, _) = results('holistic_phantom')
    best = max(first.images[:2], key=lambda image: image.prepared.image.landmarks.confidence)
    assert [image.counts for image in first.images].count(False) == 1 and best.counts
    lateral = replace(first.images[0].prepared.image, view=View('ML'))
    more = replace(first.images[0], prepared=replace(first.images[0].prepared, image=lateral))
    counts, _, exam = put_together(score, [*first.images, more])
    assert not counts[-1] and exam[0] == first.exam[0]


@pytest.mark.parametrize('name', ['mil_phantom'])
def test_a_model_of_exams_needs_no_side_and_no_second_breast(results, name):
    score, (_, second) = results(name)
    assert str(score.rule) == 'one score per exam'
    for images in ([second.images[0]], [without_side(image) for image in second.images]):
        counts, breasts, exam = put_together(score, images)
        assert all(counts) and breasts == {} and exam[0] == second.exam[0]


def test_the_most_certain_exam_is_the_first_whatever_stands_beside_it(results):
    score, (first, _) = results('holistic_phantom')
    exams = [
        [replace(image, scores=np.array([p])) for image, p in zip(first.images, column, strict=True)]
        for column in ([1.0] * 5, [1 - 6e-8] * 5, [1 - 6e-8, 1 - 6e-8, 1.0, 1 - 6e-8, 1 - 6e-8])
    ]
    found = [put_together(score, images)[2][0] for images in exams]
    assert found[0] >= found[1] and found[0] >= found[2]


def test_paper_4_s_risks_are_told_apart_as_far_as_double_precision_does(results):
    score, (first, _) = results('holistic_phantom')
    for risk in (17.0, 25.0, 30.0):
        images = [replace(image, scores=np.array([1 / (1 + np.exp(-risk))])) for image in first.images]
        counted = max(sum(i.counts and i.prepared.image.laterality == side for i in images) for side in 'LR')
        assert put_together(score, images)[2][0] == pytest.approx(counted * risk, rel=2e-3)


def test_an_image_that_the_pipeline_refuses_costs_no_other(results, exams, monkeypatch):
    score, (before, _) = results('holistic_phantom')
    pipeline = score.pipeline

    def refuse(data):
        if data['laterality'] == 'R':
            raise MammoError(data['img_path'], field='image', found='odd', expected='even', remedy='leave it out')
        return pipeline(data)

    monkeypatch.setattr(score, 'pipeline', refuse)
    exam = next(score.stream(exams))
    assert [row.path for row in exam.rejected] == ['exam0/R_CC.png', 'exam0/R_MLO.png']
    assert 'found odd' in exam.rejected[0].reason and exam.breasts == {'L': before.breasts['L']}


def test_a_defect_at_one_file_costs_no_other(results, exams, monkeypatch):
    score, _ = results('holistic_phantom')

    def prepare(record, options):
        if record.relative_path == 'exam0/R_CC.png':
            raise ZeroDivisionError('ours')
        return prepare_image(record, options)

    monkeypatch.setattr(prepare_exams, 'prepare_image', prepare)
    exam = next(score.stream(exams))
    assert [row.path for row in exam.rejected] == ['exam0/R_CC.png'] and len(exam.images) == 4
    assert "defect of mmmammo: ZeroDivisionError('ours')" in exam.rejected[0].reason


def test_flip_takes_the_mean_of_an_image_and_its_mirror_image(results, exams, checkpoint_of):
    score, (plain, _) = results('holistic_phantom')
    flip = ScoreInferencer(score.cfg.filename, checkpoint_of('holistic_phantom'), 'cpu', OPTIONS, flip=True)
    exam = next(flip.stream(exams))
    for image, before in zip(exam.images, plain.images, strict=True):
        (data,) = [one for _, one in score.packed([before.prepared])[0]]
        data['inputs'] = data['inputs'].flip(-1)
        mirrored = scores_of_sample(score.forward(next(score.preprocess([data])))[0])[1]
        assert image.scores[0] == pytest.approx((before.scores[0] + mirrored) / 2, abs=1e-6)
        assert abs(mirrored - before.scores[0]) > 1e-4


@pytest.mark.parametrize('name', ['wsol/cam_resnet18_phantom', 'image_labels/saliency_phantom'])
def test_classifiers_that_give_boxes_too_run_on_files(exams, tmp_path, name):
    cfg = for_testing(Config.fromfile(CONFIGS / f'{name}.py'))
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    meta = {'dataset_meta': {'classes': ('no mass', 'mass')}}
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict(), 'meta': meta}, tmp_path / 'a.pth')
    first = next(ExamInferencer(CONFIGS / f'{name}.py', tmp_path / 'a.pth', 'cpu', 0.0, options=OPTIONS).stream(exams))
    assert len(first.images) == 5 and any(len(image.scores) for image in first.images)


def test_an_exam_without_a_usable_file(results, tmp_path):
    (tmp_path / 'bad').mkdir()
    (tmp_path / 'bad' / 'L_CC.dcm').write_bytes(b'nothing')
    (exam,) = results('holistic_phantom')[0](tmp_path)
    assert exam.images == () and exam.exam is None and len(exam.rejected) == 1
    ScoreWriter(tmp_path / 'out', {}).close()
    (tmp_path / 'out' / 'exams.csv').write_text('of another run')
    with ScoreWriter(tmp_path / 'out', {}) as writer:
        assert writer.add(exam) is None
    assert not (tmp_path / 'out' / 'exams.csv').exists()
    assert json.loads((tmp_path / 'out' / 'scores.json').read_text())['exams'][0]['scores'] is None


def test_files_say_the_same(results, tmp_path):
    _, found = results('attention_phantom')
    ScoreWriter(tmp_path, {}).close()
    for old in ('scores.csv', 'scores.json', 'exams.csv'):
        (tmp_path / old).write_text('old\n')
    with ScoreWriter(tmp_path, {'config': 'x'}) as writer:
        panels = [writer.add(exam) for exam in found]
    document = json.loads((tmp_path / 'scores.json').read_text())
    rows = list(csv.DictReader((tmp_path / 'scores.csv').open()))
    images = [image for exam in document['exams'] for image in exam['images']]
    assert [row['file'] for row in rows] == [image['file'] for image in images]
    assert [float(row['score']) for row in rows] == [image['scores']['screening cancer'] for image in images]
    assert [[float(row[name]) for name in ('x1', 'y1', 'x2', 'y2')] for row in rows] == [i['window'] for i in images]
    exams = list(csv.DictReader((tmp_path / 'exams.csv').open()))
    assert [(row['exam_id'], row['laterality'], row['images']) for row in exams] == [
        ('exam0', 'L', '2'),  # of three, a repeat
        ('exam0', 'R', '2'),
        ('exam0', '', '4'),
        ('exam1', 'L', '1'),
        ('exam1', 'R', '1'),
        ('exam1', '', '2'),
    ]
    assert [row['missing_views'] for row in exams[3:]] == ['MLO', 'CC', 'R CC, L MLO']
    assert float(exams[2]['score']) == document['exams'][0]['scores']['screening cancer']
    assert all(cv2.imread(str(path)).max() == 255 for path in panels)


def test_without_a_set_nothing_says_how_to_prepare(checkpoint_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        MammoError, match=r'prepare.json: options: found no such file; .*name that set, .*--prepared-as'
    ):
        ScoreInferencer(CONFIGS / 'holistic_phantom.py', checkpoint_of('holistic_phantom'), 'cpu')
