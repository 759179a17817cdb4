"""The per-image view of a prepared set."""

import json
import pickle

import numpy as np
import pytest
import torch
from mmdet.structures.mask import PolygonMasks

from mmmammo.datasets import MammogramDataset
from mmmammo.structures import BreastLandmarks, MammoError
from mmmammo.testing.prepared_set import CATEGORIES, make_prepared_set

pytestmark = pytest.mark.usefixtures('scope')

TRAIN = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True, poly2mask=False),
    dict(type='Resize', scale=(64, 52), keep_ratio=True, interpolation='area'),
    dict(type='mmmammo.PackMammogram'),
]
TEST = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=(64, 52), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='mmmammo.PackMammogram'),
]
META = {
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'homography_matrix',
    'exam_id',
    'patient_id',
    'laterality',
    'view',
    'quality',
    'pixel_spacing_mm',
    'affine',
    'labels',
    'landmarks',
    'nodes',
    'breast_mask',
}


def build(root, split='train', **kwargs):
    return MammogramDataset(f'annotations/{split}.json', data_root=str(root), **kwargs)


def test_sample_holds_what_is_promised(prepared_root):
    sample = build(prepared_root, pipeline=TRAIN)[0]
    inputs, data = sample['inputs'], sample['data_samples']
    assert inputs.shape == (1, 64, 52) and inputs.dtype == torch.float32
    assert inputs.min() >= 0 and 0.5 < inputs.max() <= 1
    assert set(data.metainfo_keys()) >= META
    assert data.nodes.shape == (22, 2) and data.nodes.dtype == np.float32
    assert data.breast_mask.shape == (16, 13) and data.breast_mask.dtype == bool
    assert isinstance(data.landmarks, BreastLandmarks)
    assert data.affine.shape == (3, 3) and data.labels == {'cancer': 1}
    assert (data.laterality, data.view, data.pixel_spacing_mm, data.quality) == ('L', 'CC', 0.5, 1.0)
    assert data.gt_instances.labels.dtype == torch.int64
    assert isinstance(data.gt_instances.masks, PolygonMasks)


def test_landmarks_stay_prepared_and_nodes_are_input_pixels(prepared_root):
    data = build(prepared_root, pipeline=TRAIN)[0]['data_samples']
    assert data.ori_shape == (128, 104) and data.img_shape == (64, 52)
    np.testing.assert_allclose(data.nodes[0], data.landmarks.nipple / 2, atol=1e-4)


def test_mlo_has_its_own_node_count(prepared_root):
    dataset = build(prepared_root, pipeline=TRAIN)
    assert [dataset[i]['data_samples'].nodes.shape[0] for i in range(4)] == [22, 26, 22, 26]


def test_boxes_in_input_pixels_at_training_in_prepared_ones_at_test(prepared_root):
    train = build(prepared_root, pipeline=TRAIN)
    test = build(prepared_root, pipeline=TEST, test_mode=True)
    as_given = train.get_data_info(0)['instances'][0]['bbox']
    np.testing.assert_allclose(test[0]['data_samples'].gt_instances.bboxes.numpy()[0], as_given, atol=1e-4)
    boxes = train[0]['data_samples'].gt_instances.bboxes
    np.testing.assert_allclose(boxes.numpy()[0], np.array(as_given) / 2, atol=1e-4)


def test_lesion_is_bright_where_its_box_says(prepared_root):
    sample = build(prepared_root, pipeline=TRAIN)[0]
    x1, y1, x2, y2 = sample['data_samples'].gt_instances.bboxes.numpy()[0]
    image = sample['inputs'][0].numpy()
    assert image[int((y1 + y2) / 2), int((x1 + x2) / 2)] > 0.8
    assert image[int(y1) - 3, int(x1) - 3] < 0.5


def test_order_is_by_exam_side_and_view(prepared_root):
    infos = list(build(prepared_root).iter_images())
    keys = [(info['exam_id'], info['laterality'], info['view']) for info in infos]
    assert keys == sorted(keys) and len(keys) == 16


def test_classes_come_from_the_file(prepared_root):
    assert build(prepared_root).metainfo['classes'] == CATEGORIES
    assert build(prepared_root, metainfo=dict(classes=list(CATEGORIES))).metainfo['classes'] == CATEGORIES


@pytest.mark.parametrize('classes', [('mass',), ('calcification', 'mass'), ('mass', 'asymmetry')])
def test_other_classes_are_an_error(prepared_root, classes):
    with pytest.raises(MammoError, match='categories'):
        build(prepared_root, metainfo=dict(classes=classes))


def test_missing_folder_names_path_and_command(tmp_path):
    with pytest.raises(MammoError, match=r'nowhere.*python tools/prepare_dataset\.py'):
        build(tmp_path / 'nowhere')


def test_missing_split_names_the_file(prepared_root):
    with pytest.raises(MammoError, match=r'annotations/vall\.json'):
        build(prepared_root, 'vall')


def test_splits_are_disjoint(prepared_root):
    assert len(build(prepared_root, disjoint_from=['annotations/val.json', 'annotations/test.json'])) == 16


def test_shared_patient_is_refused(tmp_path):
    root = make_prepared_set(tmp_path, {'train': 2, 'test': 1})
    path = root / 'annotations' / 'test.json'
    index = json.loads(path.read_text())
    for image in index['images']:
        image['patient_id'] = 'patient_train_001'
    path.write_text(json.dumps(index))
    with pytest.raises(MammoError, match='no patient in two splits'):
        build(root, disjoint_from=['annotations/test.json'])


def test_images_without_findings_are_kept_unless_asked(prepared_root):
    assert len(build(prepared_root)) == 16
    kept = build(prepared_root, filter_cfg=dict(filter_empty_gt=True))
    assert len(kept) == 4 and kept.has_findings().all()
    assert len(build(prepared_root, filter_cfg=dict(filter_empty_gt=True), test_mode=True)) == 16


def test_unknown_filter_is_named(prepared_root):
    with pytest.raises(MammoError, match='filter_empty'):
        build(prepared_root, filter_cfg=dict(filter_empty=True))


def test_nothing_left_is_an_error(tmp_path):
    root = make_prepared_set(tmp_path, {'train': 2}, positive_every=9)
    index = json.loads((root / 'annotations' / 'train.json').read_text())
    index['annotations'] = []
    (root / 'annotations' / 'train.json').write_text(json.dumps(index))
    with pytest.raises(MammoError, match='none of 8 left'):
        build(root, filter_cfg=dict(filter_empty_gt=True))


def test_repr_counts_views_and_classes(prepared_root):
    text = repr(build(prepared_root))
    assert '16 samples' in text and 'CC: 8 images; mass ' in text and 'MLO: 8 images' in text
    assert 'not loaded yet' in repr(build(prepared_root, lazy_init=True))


def test_empty_image_gives_empty_instances(prepared_root):
    data = build(prepared_root, pipeline=TRAIN)[2]['data_samples']
    assert data.gt_instances.bboxes.shape == (0, 4)
    assert len(data.gt_instances.masks) == len(data.gt_instances.labels) == 0


def test_dataset_travels_to_a_worker(prepared_root):
    dataset = build(prepared_root, pipeline=TRAIN)
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[3]['inputs'], dataset[3]['inputs'])
