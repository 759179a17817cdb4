"""Which proposals there are, with which labels and weights; what is refused."""

import logging

import numpy as np
import pytest
from patch_sets import CLASSES, write_set

from mmmammo.datasets import PatchDataset
from mmmammo.structures import MammoError

A, B = (10, 40, 50, 70), (30, 90, 40, 120)
VIEWS = [
    [('mass', A), ('calcification', A), ('asymmetry', B)],  # one box of two categories, one of one
    [('mass', B)],
    [],
    [],
]


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp('patches'), VIEWS)


def dataset(root, **options):
    return PatchDataset(ann_file='annotations/train.json', data_root=str(root), pipeline=[], **options)


def test_one_record_per_proposal_and_per_normal_view(root):
    data = dataset(root, proposals=4, normals=3)
    assert len(data) == 3 * 4 + 2 * 3
    records = [data.get_data_info(i) for i in range(len(data))]
    assert len({record['img_id'] for record in records}) == len(data)
    assert [record['patch_source'] for record in records] == [0] * 4 + [1] * 4 + [0] * 4 + [None] * 6
    np.testing.assert_array_equal(records[0]['patch_boxes'], [A, B])
    np.testing.assert_array_equal(records[0]['patch_box_labels'], [[1, 1, 0], [0, 0, 1]])
    assert [data.get_cat_ids(i) for i in (0, 4, 8, 12)] == [[0, 1], [2], [0], []]
    assert data.has_findings().sum() == 12
    assert 'mass 8, calcification 4, asymmetry 4, round no finding 6' in repr(data)


def test_proposals_of_one_box_have_seeds_of_their_own(root):
    data = dataset(root, proposals=4)
    seeds = [tuple(data.get_data_info(i)['patch_seed']) for i in range(len(data))]
    assert len(set(seeds)) == len(seeds)


def test_weights_are_the_greatest_of_one_by_n(root):
    # patches: mass 2 + 2, calcification 2, asymmetry 2, normal 2
    data = dataset(root, proposals=2, normals=1)
    np.testing.assert_allclose(data.sample_weights(), [1 / 2] * 2 + [1 / 2] * 2 + [1 / 4] * 2 + [1 / 2] * 2)


def test_outputs_may_be_more_than_the_file_has_categories(root, caplog):
    classes = ('skin_thickening', *CLASSES)
    with caplog.at_level(logging.WARNING, logger='mmengine'):
        data = dataset(root, classes=classes)
        data.full_init()
    assert data.metainfo['classes'] == classes
    assert data.get_cat_ids(0) == [1, 2]
    assert np.isfinite(data.sample_weights()).all()


def test_a_class_without_an_example_is_told(root, monkeypatch):
    told = []
    monkeypatch.setattr('mmengine.logging.MMLogger.warning', lambda _, words: told.append(words))
    dataset(root, classes=(*CLASSES, 'skin_thickening', 'lymph_node'))
    assert len(told) == 1 and told[0].endswith('has no example of skin_thickening, lymph_node')


def test_an_eleventh_output_says_that_there_is_none(root):
    data = dataset(root, no_finding=True)
    assert data.metainfo['classes'] == (*CLASSES, 'no_finding')
    assert data.get_data_info(0)['has_no_finding_output']
    assert data.get_data_info(0)['patch_box_labels'].shape == (2, 3)


def test_normal_patches_have_sizes_of_the_training_set(root, tmp_path):
    write_set(root, [[('mass', (0, 0, 7, 9))], []], split='test')
    data = PatchDataset(ann_file='annotations/test.json', data_root=str(root), pipeline=[], proposals=1)
    np.testing.assert_array_equal(data.get_data_info(1)['patch_sizes'], [[7, 9]])
    data = PatchDataset(
        ann_file='annotations/test.json', data_root=str(root), pipeline=[], sizes_from='annotations/train.json'
    )
    np.testing.assert_array_equal(data.get_data_info(1)['patch_sizes'], [[40, 30], [10, 30], [10, 30]])


@pytest.mark.parametrize(
    'box',
    [(130, 10, 150, 30), (-30, 10, 0, 30), (-5, 100, 30, 170), (40, 10, 40, 30), (40, 10, float('nan'), 30)],
    ids=['right of it', 'left of it', 'partly', 'no width', 'no number'],
)
def test_a_box_outside_its_image_is_refused(tmp_path, box):
    with pytest.raises(MammoError, match=r'train_1/L_CC\.png\): bbox: found .*inside the 120 x 160 image'):
        dataset(write_set(tmp_path, [[('mass', box)]]))


def test_a_category_without_output_is_refused(root):
    with pytest.raises(MammoError, match='category: found asymmetry; expected one of the classes, mass, calcification'):
        dataset(root, classes=('mass', 'calcification'))


def test_normal_views_alone_need_sizes(tmp_path):
    write_set(tmp_path, [[], []])
    with pytest.raises(MammoError, match='sizes_from'):
        dataset(tmp_path)
    with pytest.raises(MammoError, match='no finding, and no normal view'):
        dataset(tmp_path, normals=0)


@pytest.mark.parametrize('options', [{'proposals': 0}, {'normals': -1}])
def test_numbers_that_make_no_sense(root, options):
    with pytest.raises(MammoError, match='proposals, normals'):
        dataset(root, **options)
