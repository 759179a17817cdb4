"""Labels of paper 4, exams of four images, one-to-one epochs, and the views of its models."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.datasets import CohortDataset
from mmmammo.datasets.samplers import MatchedNegativesSampler
from mmmammo.datasets.transforms import AddOverview, CentreCrop, CropAtAttention, RandomRigidCrop, ResizeToWidth
from mmmammo.io.attention_centres import write_centres
from mmmammo.io.exam_index import read_index, write_index
from mmmammo.sources.folds import patient_folds
from mmmammo.structures import Affine, MammoError
from mmmammo.testing.cohort_set import make_cohort_set


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return make_cohort_set(tmp_path_factory.mktemp('cohort'), size=(64, 48))


def dataset(root, split='train', **kwargs):
    return CohortDataset(f'annotations/{split}.json', data_root=str(root), **kwargs)


def targets(data):
    """exam -> labels of its images."""
    found = {}
    for record in data.iter_images():
        found.setdefault(record['exam_id'][-1], []).append(record['gt_label'])
    return found


def changed(root, tmp_path, change):
    """A copy of the training index in which each image is what ``change`` makes of it; ``None`` drops it."""
    prepared = read_index(root / 'annotations/train.json')
    images = tuple(image for image in map(change, prepared.images) if image is not None)
    path = tmp_path / 'changed.json'
    write_index(path, replace(prepared, images=images))
    return CohortDataset(str(path), data_root=str(root))


def test_positive_are_breasts_with_a_screening_cancer_and_the_healthy_one_is_left_out(root):
    # exams go screening, none, interval, none
    assert targets(dataset(root)) == {'0': [1, 1], '1': [0] * 4, '2': [0] * 4, '3': [0] * 4}
    assert targets(dataset(root, healthy_breast='negative'))['0'] == [1, 1, 0, 0]
    both = targets(dataset(root, positive=('screening', 'interval')))
    assert both == {'0': [1, 1], '1': [0] * 4, '2': [1, 1], '3': [0] * 4}


def test_at_test_every_image_has_a_row(root):
    assert targets(dataset(root, 'test', test_mode=True)) == {'0': [1, 1, 0, 0]} | {k: [0] * 4 for k in '123'}


def test_boxes_are_those_of_what_is_not_benign(root, tmp_path):
    def with_a_cyst(image):
        cysts = tuple(replace(f, pathology='benign', bbox=(1.0, 2.0, 3.0, 4.0)) for f in image.findings)
        unknown = tuple(replace(f, pathology=None) for f in image.findings)
        return replace(image, findings=(*cysts, *unknown))

    data = changed(root, tmp_path, with_a_cyst)
    boxes = [instance['bbox'] for image in data.iter_images() for instance in image['instances']]
    assert boxes == [instance['bbox'] for image in dataset(root).iter_images() for instance in image['instances']]
    assert boxes and [1.0, 2.0, 3.0, 4.0] not in boxes


def test_a_cancer_of_unknown_side_is_tested_and_not_trained_on(root, tmp_path):
    def sideless(image):
        known = {key: value for key, value in image.labels.items() if key not in ('outcome', 'cancer')}
        return replace(image, labels=known) if image.labels['exam_outcome'] == 'screening' else image

    train = changed(root, tmp_path, sideless)
    assert '0' not in targets(train)
    test = CohortDataset(train.ann_file, data_root=str(root), test_mode=True)
    assert targets(test)['0'] == [1] * 4


def test_an_interval_cancer_of_unknown_side_is_negative_on_both_sides(root, tmp_path):
    def sideless(image):
        known = {key: value for key, value in image.labels.items() if key not in ('outcome', 'cancer')}
        return replace(image, labels=known) if image.labels['exam_outcome'] == 'interval' else image

    train = changed(root, tmp_path, sideless)
    assert targets(train)['2'] == [0] * 4  # whichever breast it is in
    both = CohortDataset(train.ann_file, data_root=str(root), positive=('screening', 'interval'))
    assert '2' not in targets(both)
    alone = CohortDataset(train.ann_file, data_root=str(root), positive=('interval',))
    assert set(targets(alone)) == {'0', '1', '3'}


def test_the_images_of_an_exam_are_counted_before_those_without_a_label_are_left_out(root, tmp_path):
    def half(image):  # what is known of the breast with the cancer is enough
        healthy = image.labels['exam_outcome'] == 'screening' and image.laterality.value == 'R'
        return replace(image, labels={'exam_outcome': 'screening'}) if healthy else image

    assert targets(changed(root, tmp_path, half))['0'] == [1, 1]
    prepared = read_index(tmp_path / 'changed.json')
    fifth = replace(prepared.images[2], image_id=900, file_name='5.png')  # a fifth image, of unknown outcome
    write_index(tmp_path / 'five.json', replace(prepared, images=(*prepared.images, fifth)))
    assert '0' not in targets(CohortDataset(str(tmp_path / 'five.json'), data_root=str(root)))


@pytest.mark.parametrize('copies', [0, 2], ids=['three images', 'five images'])
def test_exams_of_other_than_four_images_are_left_out(root, tmp_path, copies):
    prepared = read_index(root / 'annotations/train.json')
    first = prepared.images[4]  # of exam 1
    more = [replace(first, image_id=900 + i, file_name=f'{i}.png') for i in range(copies)]
    images = (*prepared.images[:4], *more, *prepared.images[5:])
    write_index(tmp_path / 'odd.json', replace(prepared, images=images))
    found = targets(CohortDataset(str(tmp_path / 'odd.json'), data_root=str(root)))
    assert set(found) == {'0', '2', '3'}
    every = targets(CohortDataset(str(tmp_path / 'odd.json'), data_root=str(root), exams='any'))
    assert len(every['1']) == 3 + copies


def test_an_unknown_outcome_is_not_a_label(root, tmp_path):
    with pytest.raises(MammoError, match=r'none with an outcome.*tools/prepare_dataset\.py cohort'):
        changed(root, tmp_path, lambda image: replace(image, labels={'outcome': 'cancer', 'exam_outcome': 'cancer'}))


@pytest.mark.parametrize(
    'wrong', [{'exams': 'all'}, {'healthy_breast': 'drop'}, {'positive': ('none',)}, {'positive': ()}]
)
def test_wrong_arguments_are_named(root, wrong):
    with pytest.raises(MammoError, match=next(iter(wrong))):
        dataset(root, **wrong)


def test_centres_come_from_a_file(root, tmp_path):
    image = next(dataset(root).iter_images())['img_id']
    write_centres(tmp_path / 'c.json', 'key', {image: (3.0, 4.25)})
    records = list(dataset(root, attention_centres=str(tmp_path / 'c.json')).iter_images())
    assert records[0]['attention_centre'] == (3.0, 4.25)
    assert 'attention_centre' not in records[1]


class Labels:
    """A dataset of labels only."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def get_cat_ids(self, idx):
        return [self.labels[idx]]


def test_an_epoch_has_every_positive_and_as_many_negatives():
    sampler = MatchedNegativesSampler(Labels([1, 0, 0, 0, 1, 0, 0, 0, 0]), seed=0)
    seen = set()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert sorted(i for i in drawn if i in (0, 4)) == [0, 4]
        assert len(set(drawn)) == len(drawn) == len(sampler) == 4
        assert drawn == sampler.epoch_indices(epoch)
        seen |= set(drawn)
    assert seen == set(range(9))


def test_ranks_share_an_epoch():
    parts = []
    for rank in range(2):
        sampler = MatchedNegativesSampler(Labels([1, 1, 1, 0, 0, 0, 0]), seed=3)
        sampler.rank, sampler.world_size, sampler.num_samples, sampler.total_size = rank, 2, 3, 6
        parts += list(sampler)
    assert sorted(parts) == sorted(sampler.epoch_indices(0))


def test_ranks_without_an_image_of_their_own_repeat_others():
    for rank in range(8):
        sampler = MatchedNegativesSampler(Labels([1, 0]), seed=3)
        sampler.rank, sampler.world_size, sampler.num_samples, sampler.total_size = rank, 8, 1, 8
        assert len(list(sampler)) == len(sampler) == 1


@pytest.mark.parametrize('labels', [[0, 0], [1, 1]], ids=['no cancer', 'nothing else'])
def test_a_set_of_one_kind_is_refused(labels):
    with pytest.raises(MammoError, match='MatchedNegativesSampler'):
        MatchedNegativesSampler(Labels(labels), seed=0)


def image_of(height=60, width=40):
    return np.random.default_rng(0).random((height, width)).astype(np.float32)


def test_overview_equals_the_holistic_pipeline():
    image = image_of()
    results = CentreCrop((32, 24)).transform(ResizeToWidth(30).transform({'img': image}))
    added = AddOverview(30, (32, 24)).transform({'img': image})
    assert np.array_equal(added['overview'], results['img'])
    assert np.allclose(added['overview_affine'], results['homography_matrix'])
    assert added['img'] is image


def test_affines_of_a_pipeline_add_up():
    np.random.seed(0)
    image = np.zeros((80, 60), np.float32)
    image[38:42, 28:32] = 1
    results = RandomRigidCrop((64, 48), margin=4).transform(ResizeToWidth(90).transform({'img': image}))
    y, x = (np.argwhere(results['img'] > 0.5) + 0.5).mean(axis=0)
    assert Affine(results['homography_matrix']).points((30, 40)) == pytest.approx((x, y), abs=0.6)
    assert results['img_shape'] == results['img'].shape == (64, 48)


@pytest.mark.parametrize(('centre', 'corner'), [((20, 30), (12, 22)), ((0, 0), (0, 0)), ((40, 60), (24, 44))])
def test_the_window_is_cut_round_the_centre(centre, corner):
    image = image_of()
    results = CropAtAttention((16, 16), jitter=0).transform({'img': image, 'attention_centre': centre})
    x, y = corner
    assert np.array_equal(results['img'], image[y : y + 16, x : x + 16])


def test_a_window_larger_than_the_image_is_black_outside():
    results = CropAtAttention((100, 100)).transform({'img': np.ones((60, 40), np.float32), 'attention_centre': (5, 5)})
    assert results['img'].shape == (100, 100) and results['img'].sum() == 60 * 40


def test_no_centre_names_the_hook():
    with pytest.raises(MammoError, match='AttentionCentresHook'):
        CropAtAttention(16).transform({'img': image_of(), 'img_path': 'x.png'})


@pytest.mark.parametrize('make', [lambda: CentreCrop((3, 4, 5)), lambda: ResizeToWidth(0), lambda: CropAtAttention(0)])
def test_sizes_are_checked(make):
    with pytest.raises(MammoError, match='size'):
        make()


def test_rigid_crop_checks_its_ranges():
    for wrong in ({'margin': -1}, {'degrees': 200}, {'mirror_prob': 2}):
        with pytest.raises(MammoError, match='RandomRigidCrop'):
            RandomRigidCrop(16, **wrong)


def test_ten_folds_share_out_the_cancers_of_the_paper():
    outcomes = ['screening'] * 783 + ['interval'] * 249 + ['none'] * 300
    folds = patient_folds([f'p{i}' for i in range(len(outcomes))], outcomes, 10, 121)
    counts = Counter((outcomes[int(patient[1:])], fold) for patient, fold in folds.items())
    assert {counts['screening', fold] for fold in range(10)} == {78, 79}
    assert {counts['interval', fold] for fold in range(10)} == {24, 25}


def test_exams_of_unknown_outcome_can_be_scored(root, tmp_path):
    prepared = read_index(root / 'annotations/test.json')
    first = prepared.images[0].exam_id
    images = tuple(replace(i, labels={} if i.exam_id == first else i.labels) for i in prepared.images)
    path = str(tmp_path / 'unknown.json')
    write_index(path, replace(prepared, images=images))
    assert first[-1] not in targets(CohortDataset(path, data_root=str(root), test_mode=True))
    known = CohortDataset(path, data_root=str(root), test_mode=True, unknown='none')
    assert targets(known) == {k: [0] * 4 for k in '0123'}
    labels = [record['labels'] for record in known.iter_images() if record['exam_id'] == first]
    assert labels == [{'exam_outcome': 'none', 'outcome': 'none'}] * 4
    assert first[-1] not in targets(CohortDataset(path, data_root=str(root), unknown='none'))  # at training
    with pytest.raises(MammoError, match="unknown: found 'well'; expected one of"):
        CohortDataset(path, data_root=str(root), unknown='well')
