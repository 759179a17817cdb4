"""Findings as patches: which, with what label, cut how."""

import json

import numpy as np
import pytest

from mmmammo.datasets import FindingPatchDataset
from mmmammo.datasets.transforms import CropFinding
from mmmammo.preprocessing.patch import crop_patch
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set


@pytest.fixture
def prepared(tmp_path):
    """Three findings in two views each: malignant, benign, unknown."""
    root = make_prepared_set(tmp_path, {'train': 3, 'val': 1, 'test': 1}, size=(96, 72), positive_every=1)
    path = root / 'annotations' / 'train.json'
    document = json.loads(path.read_text())
    exam_of = {image['id']: image['exam_id'] for image in document['images']}
    pathology = {'train_000': 'malignant', 'train_001': 'benign', 'train_002': None}
    for annotation in document['annotations']:
        annotation['pathology'] = pathology[exam_of[annotation['image_id']]]
    path.write_text(json.dumps(document))
    return root


def build(root, pipeline=(), **kwargs):
    return FindingPatchDataset('annotations/train.json', data_root=str(root), pipeline=list(pipeline), **kwargs)


def test_one_record_per_finding_of_known_pathology(prepared):
    dataset = build(prepared)
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(r['exam_id'], r['gt_label']) for r in records] == [('train_000', 1)] * 2 + [('train_001', 0)] * 2
    assert dataset.metainfo['classes'] == ('benign', 'malignant')
    assert {r['lesion_id'] for r in records} == {'train_000_L', 'train_001_L'}
    assert 'CC: 2 images; benign 1, malignant 1' in repr(dataset)


def test_the_patch_shows_the_finding(prepared):
    dataset = build(prepared, [{'type': 'mmmammo.LoadMammogram'}, CropFinding(32, context=2.0)])
    patch = dataset[0]['img']
    assert patch.shape == (32, 32) and patch.dtype == np.float32
    assert patch[14:18, 14:18].min() > 0.8 > patch[0].max()  # a bright disc of half the width


def test_a_set_without_pathology_is_refused(prepared):
    path = prepared / 'annotations' / 'train.json'
    document = json.loads(path.read_text())
    for annotation in document['annotations']:
        annotation['pathology'] = None
    path.write_text(json.dumps(document))
    with pytest.raises(MammoError, match='pathology: found no finding that has one'):
        len(build(prepared))


def test_crop_by_hand():
    image = np.arange(48, dtype=np.float32).reshape(6, 8)
    np.testing.assert_array_equal(crop_patch(image, (2, 1, 4, 3), 4, context=2.0), image[0:4, 1:5])
    over = crop_patch(image, (0, 0, 2, 2), 4, context=2.0)
    np.testing.assert_array_equal(over[1:, 1:], image[:3, :3])
    assert not over[0].any() and not over[:, 0].any()
    assert not crop_patch(image, (50, 50, 60, 60), 4).any()


def test_shrinking_averages():
    checker = (np.indices((64, 64)).sum(0) % 2).astype(np.float32)
    np.testing.assert_allclose(crop_patch(checker, (0, 0, 64, 64), 16, context=1.0), 0.5)


@pytest.mark.parametrize('box', [(5, 5, 5, 9), (np.nan, 0, 1, 1), (3, 3, 1, 5)])
def test_a_box_without_extent_is_refused(box):
    with pytest.raises(MammoError, match='box'):
        crop_patch(np.zeros((9, 9)), box, 4)


def test_jitter_moves_the_box_within_bounds():
    image, box = np.zeros((100, 100), np.float32), [40.0, 40.0, 60.0, 60.0]
    step = CropFinding(8, jitter=0.2)
    np.random.seed(0)
    moved = np.array([step._moved(np.array(box)) for _ in range(200)])
    centres, sizes = (moved[:, :2] + moved[:, 2:]) / 2, moved[:, 2:] - moved[:, :2]
    assert np.abs(centres - 50).max() <= 4 and np.abs(centres - 50).max() > 3
    assert sizes.min() >= 16 and sizes.max() <= 24 and np.ptp(sizes) > 6
    assert step.transform({'img': image, 'bbox': box})['img_shape'] == (8, 8)


@pytest.mark.parametrize('arguments', [{'size': 0}, {'size': 8, 'context': 0}, {'size': 8, 'jitter': 1.0}], ids=str)
def test_senseless_numbers_are_refused(arguments):
    with pytest.raises(MammoError, match='CropFinding'):
        CropFinding(**arguments)
