"""Exams with a place for each of the four standard views."""

import math

import numpy as np
import pytest
import torch

from mmmammo.datasets import FourViewDataset, exam_collate
from mmmammo.datasets.breast_labels import BreastRule, binary_rule, exam_target
from mmmammo.datasets.four_view_dataset import four_views
from mmmammo.testing.cohort_set import make_cohort_set
from mmmammo.testing.prepared_set import FOUR_VIEWS, make_prepared_set

OUTCOME = {'labels': 'exam_outcome', 'mapping': {'none': 0, 'interval': 0, 'screening': 1}}
WINDOW = {'type': 'mmmammo.NYUWindow', 'sizes': {'CC': (64, 48), 'MLO': (72, 40)}, 'iterations': 3, 'buffer': 2}
PIPELINE = [{'type': 'mmmammo.LoadMammogram'}, WINDOW, {'type': 'mmmammo.PackView'}]


@pytest.fixture(scope='module')
def cohort(tmp_path_factory):
    return str(make_cohort_set(tmp_path_factory.mktemp('cohort')))


def dataset(root, split='train', **kwargs):
    return FourViewDataset(f'annotations/{split}.json', data_root=str(root), **kwargs)


def record(side='L', view='CC', quality=0.0, labels=None, pathologies=()):
    return {
        'laterality': side,
        'view': view,
        'quality': quality,
        'labels': labels or {},
        'instances': [],
        'pathologies': list(pathologies),
    }


def test_breasts_are_labelled_by_their_findings(cohort):
    exams = dataset(cohort, breasts='findings')
    for number in range(4):
        targets = {image['laterality']: image['gt_score'] for image in exams.get_data_info(number)['images']}
        assert targets == {'L': [0.0, float(number % 2 == 0)], 'R': [0.0, 0.0]}
        assert exams.get_cat_ids(number) == ([1] if number % 2 == 0 else [])


def test_exams_are_labelled_by_their_outcome(cohort):
    exams = dataset(cohort, exam=OUTCOME)
    assert [exams.get_data_info(i)['images'][0]['gt_label'] for i in range(4)] == [1, 0, 0, 0]
    assert exams.metainfo['classes'] == ('no exam_outcome', 'exam_outcome')
    assert 'exams: no exam_outcome 3, exam_outcome 1' in repr(exams) and 'R MLO 4' in repr(exams)


def test_labels_of_a_breast_may_be_asked_for_in_turn():
    rule = BreastRule.of({'malignant': ['cancer', {'labels': 'outcome', 'mapping': {'none': 0, 'screening': 1}}]})
    known, fallen_back = record(labels={'cancer': 0, 'outcome': 'screening'}), record(labels={'outcome': 'screening'})
    np.testing.assert_equal(rule.target([known]), [math.nan, 0.0])
    np.testing.assert_equal(rule.target([fallen_back]), [math.nan, 1.0])
    np.testing.assert_equal(rule.target([record()]), [math.nan, math.nan])


def test_a_finding_of_unknown_pathology_leaves_open_what_is_not_seen():
    rule = BreastRule.of('findings')
    assert rule.target([record(), record(pathologies=['benign'])]) == [1.0, 0.0]
    np.testing.assert_equal(rule.target([record(pathologies=['malignant', None])]), [math.nan, 1.0])


@pytest.mark.parametrize(
    ('answers', 'expected'), [((0, 1), 1), ((None, 1), 1), ((0, 0), 0), ((0, None), None), ((), None)]
)
def test_one_positive_image_makes_the_exam(answers, expected):
    images = [record(labels={} if answer is None else {'cancer': answer}) for answer in answers]
    assert exam_target(binary_rule('cancer'), images) == expected


def test_of_repeats_the_surest_stays_the_first_among_equals():
    images = [record(quality=0.4), record(quality=0.9), record(quality=0.9), record('R', 'MLO'), record('L', 'ML')]
    chosen = four_views([*images, record('U', 'CC')])
    assert [id(image) for image in chosen] == [id(images[1]), id(images[3])]


def test_exams_of_more_or_fewer_images(tmp_path):
    views = [*FOUR_VIEWS, ('L', 'CC'), ('R', 'XCCL')]
    root = make_prepared_set(tmp_path / 'more', {'train': 2}, views=views)
    exams = dataset(root, breasts='findings')
    assert [len(exams.get_data_info(i)['images']) for i in range(len(exams))] == [4, 4]
    fewer = make_prepared_set(tmp_path / 'fewer', {'train': 2}, views=FOUR_VIEWS[:3])
    exams = dataset(fewer, breasts='findings')
    assert [image['view'] for image in exams.get_data_info(0)['images']] == ['CC', 'MLO', 'CC']
    for odd in ('more', 'fewer'):
        with pytest.raises(ValueError, match=r'none left \(2 that are not of the four standard views\)'):
            dataset(tmp_path / odd, breasts='findings', four_only=True)
    four = make_prepared_set(tmp_path / 'four', {'train': 2}, views=FOUR_VIEWS)
    assert len(dataset(four, breasts='findings', four_only=True)) == 2
    none = make_prepared_set(tmp_path / 'none', {'train': 1}, views=[('L', 'ML')])
    with pytest.raises(ValueError, match='1 without any standard view'):
        dataset(none, breasts='findings')


def test_labels_come_from_images_that_are_left_out(tmp_path):
    root = make_prepared_set(tmp_path, {'train': 1}, views=[('L', 'ML'), ('L', 'CC'), ('R', 'CC')])
    images = dataset(root, breasts='findings').get_data_info(0)['images']
    assert [(image['view'], image['gt_score'][1]) for image in images] == [('CC', 1.0), ('CC', 0.0)]


def test_exams_without_a_label_are_left_out(tmp_path):
    root = make_prepared_set(tmp_path, {'train': 2})
    with pytest.raises(ValueError, match='2 without a known label'):
        dataset(root, exam=OUTCOME)


def test_a_mirrored_exam_keeps_labels_with_their_pixels(cohort):
    exams = dataset(cohort, breasts='findings', exam_pipeline=[{'type': 'mmmammo.ExamFlip', 'prob': 1.0}])
    exams.pipeline = lambda image: {
        'inputs': image['img_path'],
        'data_samples': (image['laterality'], image['gt_score']),
    }
    sample = exams.prepare_data(0)
    for path, (side, score) in zip(sample['inputs'], sample['data_samples'], strict=True):
        assert ('/L_' in path) == (side == 'R')
        assert score[1] == float('/L_' in path)


def test_a_batch_of_exams(cohort, scope):
    exams = dataset(cohort, breasts='findings', pipeline=PIPELINE)
    batch = exam_collate([exams[0], exams[1]])
    assert [tuple(image.shape) for image in batch['inputs']] == [(1, 64, 48), (1, 72, 40)] * 4
    assert [sample.exam_slot for sample in batch['data_samples']] == [0] * 4 + [1] * 4
    assert batch['data_samples'][0].gt_score.tolist() == [0.0, 1.0]
    assert all(isinstance(image, torch.Tensor) for image in batch['inputs'])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({}, 'found neither'),
        ({'breasts': 'findings', 'exam': 'cancer'}, 'found both'),
        ({'breasts': 'cancer'}, "breasts: found 'cancer'"),
        ({'breasts': {'cancer': 'cancer'}}, 'labels for some of'),
        ({'exam': {'label': 'cancer'}}, r"keys \['label'\]"),
        ({'exam': {'labels': 'cancer', 'mapping': {'yes': 2}}}, 'values to class numbers'),
    ],
)
def test_bad_arguments_are_told(cohort, arguments, message):
    with pytest.raises(ValueError, match=message):
        dataset(cohort, **arguments)
