"""Albumentations on float images."""

import numpy as np
import pytest
from dotted_images import SIZE, centre_of, dotted_results, mask_box

from mmmammo.datasets.transforms import MammoAlbu
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.structures import MammoError

GEOMETRIC = {
    'rotate': dict(type='Affine', rotate=(12, 12), p=1),
    'scale': dict(type='Affine', scale=(0.8, 0.8), p=1),
    'shift': dict(type='Affine', translate_px={'x': (-9, -9), 'y': (5, 5)}, p=1),
    'shear': dict(type='Affine', shear=(6, 6), p=1),
    'mirror': dict(type='HorizontalFlip', p=1),
    'perspective': dict(type='Perspective', scale=(0.05, 0.05), p=1),
    'crop': dict(type='CenterCrop', height=140, width=128, p=1),
}
PHOTOMETRIC = {
    'gamma': dict(type='RandomGamma', gamma_limit=(70, 70), p=1),
    'contrast': dict(type='RandomBrightnessContrast', p=1),
    'blur': dict(type='GaussianBlur', p=1),
    'noise': dict(type='GaussNoise', std_range=(0.01, 0.02), p=1),
}


def run(*transforms, results=None, seed=0):
    np.random.seed(seed)
    return MammoAlbu(transforms)(dotted_results() if results is None else results)


@pytest.mark.parametrize('name', GEOMETRIC)
def test_nipple_stays_on_its_dot(name):
    results = run(GEOMETRIC[name])
    nipple = current_affine(results).points(results['landmarks'].nipple)
    assert np.abs(nipple - centre_of(results['img'])).max() < 0.3
    assert results['img_shape'] == results['img'].shape


@pytest.mark.parametrize('name', [name for name in GEOMETRIC if name != 'perspective'])
def test_affine_operations_leave_the_landmarks_to_the_matrix(name):
    results = run(GEOMETRIC[name])
    before = dotted_results()['landmarks']
    assert not np.allclose(results['homography_matrix'], np.eye(3), atol=1e-3)
    np.testing.assert_allclose(results['landmarks'].contour, before.contour, atol=1e-2)


def test_perspective_moves_the_landmarks_themselves():
    before = dotted_results()['landmarks']
    assert np.abs(run(GEOMETRIC['perspective'])['landmarks'].contour - before.contour).max() > 0.5


@pytest.mark.parametrize('name', ['scale', 'shift', 'mirror', 'crop'])
def test_box_and_mask_move_together(name):
    results = run(GEOMETRIC[name])
    box = results['gt_bboxes'].numpy()[0]
    assert np.abs(box - mask_box(results['gt_masks'].masks[0])).max() <= 1
    assert not np.allclose(box, dotted_results()['gt_bboxes'].numpy()[0])


def test_matrix_starts_from_what_was_accumulated():
    resized = dotted_results() | {'homography_matrix': np.diag([0.5, 0.5, 1.0]).astype(np.float32)}
    results = run(GEOMETRIC['shift'], results=resized)
    np.testing.assert_allclose(results['homography_matrix'], [[0.5, 0, -9], [0, 0.5, 5], [0, 0, 1]], atol=1e-4)


def test_box_that_leaves_the_image_is_dropped_with_its_label_and_mask():
    results = run(dict(type='Affine', translate_px={'x': (-100, -100), 'y': 0}, p=1))
    assert len(results['gt_bboxes']) == len(results['gt_bboxes_labels']) == len(results['gt_masks']) == 0
    assert results['gt_ignore_flags'].shape == (0,)


def test_labels_stay_with_their_boxes():
    results = dotted_results(polygons=False)
    boxes = np.array([[2, 50, 12, 60], [60, 50, 80, 70], [30, 20, 50, 44]], dtype=np.float32)
    results['gt_bboxes'] = type(results['gt_bboxes'])(boxes)
    results |= {'gt_bboxes_labels': np.array([7, 8, 9]), 'gt_ignore_flags': np.array([False, True, False])}
    results = run(dict(type='Affine', translate_px={'x': (-20, -20), 'y': 0}, p=1), results=results)
    assert results['gt_bboxes_labels'].tolist() == [8, 9]
    assert results['gt_ignore_flags'].tolist() == [True, False]
    np.testing.assert_allclose(results['gt_bboxes'].numpy()[0], [40, 50, 60, 70], atol=1e-3)


def test_image_without_findings_passes():
    results = dotted_results()
    for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks'):
        results[key] = results[key][np.array([], dtype=np.int64)]
    results = run(*GEOMETRIC.values(), results=results)
    assert len(results['gt_bboxes']) == len(results['gt_masks']) == 0


def test_image_without_landmarks_passes():
    results = run(GEOMETRIC['rotate'], results=dotted_results() | {'landmarks': None})
    assert results['landmarks'] is None
    assert not np.allclose(results['homography_matrix'], np.eye(3))


@pytest.mark.parametrize('name', PHOTOMETRIC)
def test_photometric_operations_keep_depth_range_and_geometry(name):
    ramp = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
    results = run(PHOTOMETRIC[name], results=dotted_results() | {'img': ramp.copy()})
    image = results['img']
    assert image.dtype == np.float32 and image.shape == SIZE
    assert len(np.unique(image)) > 5000
    assert image.min() >= 0 and image.max() <= 1
    assert not np.array_equal(image, ramp)
    assert 'homography_matrix' not in results


@pytest.mark.parametrize('name', ['CLAHE', 'MedianBlur', 'Posterize', 'ISONoise', 'ChannelShuffle'])
def test_operation_unfit_for_float_grey_is_refused_at_once(name):
    with pytest.raises(MammoError, match=f'transforms: {name}'):
        MammoAlbu([dict(type=name, p=0.5)])


def test_refusal_looks_inside_compositions():
    with pytest.raises(MammoError, match='ElasticDeform'):
        MammoAlbu([dict(type='OneOf', transforms=[dict(type='ElasticTransform')])])


def test_numbers_follow_the_global_seed():
    step = dict(type='GaussNoise', std_range=(0.01, 0.05), p=1)
    first, again, other = (run(step, seed=seed)['img'] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_operations_draw_independently():
    transform = MammoAlbu([dict(type='HorizontalFlip', p=0.5), dict(type='VerticalFlip', p=0.5)])
    np.random.seed(0)
    signs = set()
    for _ in range(40):
        matrix = transform(dotted_results()).get('homography_matrix', np.eye(3))
        signs.add((round(float(matrix[0, 0])), round(float(matrix[1, 1]))))
    assert len(signs) == 4


DISTORTIONS = ('OpticalDistortion', 'GridDistortion', 'PiecewiseAffine')


def labelled_results():
    results = dotted_results()
    return {key: results[key] for key in results if not key.startswith('gt_')}


@pytest.mark.parametrize('name', DISTORTIONS)
def test_classifiers_may_have_what_boxes_cannot_follow(name):
    results = labelled_results()
    before = results['img'].copy()
    np.random.seed(0)
    results = MammoAlbu([dict(type=name, p=1)], labels_only=True)(results)
    assert results['img'].dtype == np.float32 and results['img'].shape == before.shape
    assert not np.array_equal(results['img'], before)
    assert len(np.unique(results['img'])) > 256
    assert 'landmarks' not in results and 'homography_matrix' not in results


def test_boxes_are_not_left_behind():
    with pytest.raises(MammoError, match='labels_only'):
        MammoAlbu([dict(type='HorizontalFlip', p=1)], labels_only=True)(dotted_results())
