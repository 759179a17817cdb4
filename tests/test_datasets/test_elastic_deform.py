"""Elastic deformation."""

from dataclasses import replace

import numpy as np
import pytest
from dotted_images import SIZE, centre_of, dot_at, dotted_results, mask_box
from mmdet.structures.mask import PolygonMasks

from mmmammo.datasets.transforms import ElasticDeform, MammoAlbu
from mmmammo.datasets.transforms.geometric import elastic_field, warp_boxes, warp_image, warp_points
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.structures import MammoError


@pytest.fixture()
def field():
    return elastic_field(SIZE, spacing=40, magnitude=5, generator=np.random.default_rng(0))


def test_field_is_bounded_smooth_and_seeded(field):
    assert field.shape == (*SIZE, 2) and field.dtype == np.float32
    assert 2 < np.abs(field).max() <= 1.3 * 5  # bicubic overshoot
    assert np.abs(np.diff(field, axis=1)).max() < 1  # no fold
    again = elastic_field(SIZE, spacing=40, magnitude=5, generator=np.random.default_rng(0))
    np.testing.assert_array_equal(field, again)


@pytest.mark.parametrize('point', [(60.0, 80.0), (20.5, 40.0), (100.0, 130.0)])
def test_points_follow_the_pixels(field, point):
    moved = warp_points([point], field)[0]
    assert np.abs(moved - point).max() > 0.2
    assert np.abs(moved - centre_of(warp_image(dot_at(point), field))).max() < 0.5


def test_inverse_solves_its_equation(field):
    points = np.random.default_rng(1).uniform((5, 5), (125, 155), size=(200, 2))
    moved = warp_points(points, field)
    x, y = (np.clip(moved - 0.5, 0, (SIZE[1] - 1, SIZE[0] - 1)).round().astype(int)).T
    assert np.abs(moved + field[y, x] - points).max() < 0.3  # nearest pixel of the field: half a pixel of its slope


def test_constant_field_is_a_shift():
    field = np.full((*SIZE, 2), (3.0, -2.0), dtype=np.float32)
    np.testing.assert_allclose(warp_points([(50, 60)], field), [[47, 62]])
    np.testing.assert_allclose(warp_boxes(np.array([[10.0, 20, 30, 40]]), field), [[7, 22, 27, 42]])
    np.testing.assert_allclose(warp_boxes(np.array([[1.0, 20, 30, 40]]), field), [[0, 22, 27, 42]])


def deform(results, **kwargs):
    np.random.seed(5)
    return ElasticDeform(prob=1, spacing=40, magnitude=5, **kwargs)(results)


def test_everything_moves_together():
    results = dotted_results()
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = np.stack([45 + 15 * np.cos(angles), 70 + 20 * np.sin(angles)], axis=-1).ravel()  # fills the box
    results = deform(results | {'gt_masks': PolygonMasks([[outline]], *SIZE)})
    nipple = current_affine(results).points(results['landmarks'].nipple)
    assert np.abs(nipple - centre_of(results['img'])).max() < 0.5
    assert np.abs(results['gt_bboxes'].numpy()[0] - mask_box(results['gt_masks'].masks[0])).max() <= 1.5
    assert not np.allclose(results['landmarks'].contour, dotted_results()['landmarks'].contour, atol=0.5)


def test_edge_of_the_muscle_moves_like_the_line_along_it():
    results = dotted_results()
    plain = results['landmarks']
    bent = replace(plain, pectoral_edge=np.vstack([plain.pectoral_line, plain.nipple]))
    moved = deform(results | {'landmarks': bent})['landmarks']
    np.testing.assert_array_equal(moved.pectoral_edge, np.vstack([moved.pectoral_line, moved.nipple]))
    assert len(moved.contour) == len(plain.contour)
    assert np.abs(moved.pectoral_edge - bent.pectoral_edge).max() > 0.5


def test_landmarks_stay_in_prepared_pixels():
    matrix = np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1]])
    half = dotted_results()
    half |= {'homography_matrix': matrix, 'img': dot_at(half['landmarks'].nipple / 2)}
    results = deform(half)
    np.testing.assert_array_equal(results['homography_matrix'], matrix)
    moved = current_affine(results).points(results['landmarks'].nipple)
    assert np.abs(moved - centre_of(results['img'])).max() < 0.5


def test_empty_image_and_no_landmarks_pass():
    results = dotted_results() | {'landmarks': None}
    for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks'):
        results[key] = results[key][np.array([], dtype=np.int64)]
    results = deform(results)
    assert results['landmarks'] is None and len(results['gt_bboxes']) == len(results['gt_masks']) == 0


def test_probability_zero_changes_nothing():
    results = ElasticDeform(prob=0)(dotted_results())
    np.testing.assert_array_equal(results['img'], dotted_results()['img'])


def test_float_depth_survives():
    ramp = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
    image = deform(dotted_results() | {'img': ramp})['img']
    assert image.dtype == np.float32 and len(np.unique(image)) > 5000
    assert image.min() >= 0 and image.max() <= 1


@pytest.mark.parametrize(
    ('kwargs', 'field'),
    [(dict(spacing=40, magnitude=6), 'magnitude'), (dict(prob=1.5), 'prob'), (dict(prob=-0.1), 'prob')],
)
def test_bad_settings_are_named(kwargs, field):
    with pytest.raises(MammoError, match=field):
        ElasticDeform(**kwargs)


@pytest.mark.parametrize(
    'transform',
    [ElasticDeform(prob=1), MammoAlbu([dict(type='HorizontalFlip', p=1)])],
    ids=['ElasticDeform', 'MammoAlbu'],
)
def test_masks_of_another_size_name_the_remedy(transform):
    resized = dotted_results()
    resized['img'] = resized['img'][::2, ::2]
    with pytest.raises(MammoError, match='LoadAnnotations before Resize'):
        transform(resized)
