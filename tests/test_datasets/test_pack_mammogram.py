"""Anatomy in the pixels of the network input."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
from dotted_images import SIZE, dot_at, dotted_results

from mmmammo.anatomy import CORNER_MODES, LandmarkError, pseudo_landmarks
from mmmammo.datasets.transforms import PackMammogram, formatting
from mmmammo.datasets.transforms.formatting import contour_mask
from mmmammo.models.layers import exam_context
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MASK_STRIDE

DOT_VIEWS = ['CC', 'MLO']


def pack(results, **kwargs):
    return PackMammogram(**kwargs)(results)


def test_mask_of_a_rectangle_is_exact():
    contour = np.array([[4.0, 8], [20, 8], [20, 24], [4, 24]])
    mask = contour_mask(contour, (30, 25))
    assert mask.shape == (8, 7)
    expected = np.zeros((8, 7), dtype=bool)
    expected[2:6, 1:5] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize('stride', [4, 5])
@pytest.mark.parametrize('beside', [-0.75, 0.75])
def test_a_cell_is_inside_when_its_centre_is(stride, beside):
    side = 8 * stride
    left = 2.5 * stride + beside  # beside the centre of the cells of column 2
    contour = np.array([[left, 0], [side, 0], [side, side], [left, side]])
    mask = contour_mask(contour, (side, side), stride)
    np.testing.assert_array_equal(mask, np.tile(np.arange(8) >= (2 if beside < 0 else 3), (8, 1)))
    np.testing.assert_array_equal(contour_mask(contour[:, ::-1], (side, side), stride), mask.T)
    np.testing.assert_array_equal(contour_mask([side, 0] + [-1, 1] * contour, (side, side), stride), mask[:, ::-1])


def test_the_stride_of_masks_is_said_once():
    for module in (formatting, exam_context):
        assert module.MASK_STRIDE is MASK_STRIDE
        assert 'MASK_STRIDE = ' not in inspect.getsource(module)


def test_mask_has_the_area_of_the_breast():
    landmarks = dotted_results()['landmarks']
    tip, half = landmarks.nipple[0], np.ptp(landmarks.contour[:, 1]) / 2
    area = contour_mask(landmarks.contour, SIZE).sum() * 16
    assert area == pytest.approx(np.pi * tip * half / 2, rel=0.04)


@pytest.mark.parametrize('view', DOT_VIEWS)
@pytest.mark.parametrize(
    'step',
    [
        dict(type='mmdet.Resize', scale=(120, 200), keep_ratio=True),
        dict(type='mmdet.RandomFlip', prob=1.0),
        dict(type='mmdet.Rotate', min_mag=10.0, max_mag=10.0, img_border_value=0),
        dict(type='mmdet.RandomCrop', crop_size=(150, 120)),
        dict(type='mmdet.Pad', size_divisor=32),
    ],
    ids=lambda step: step['type'],
)
def test_nodes_follow_stock_transforms(view, step):
    np.random.seed(0)
    results = TRANSFORMS.build(step)(dotted_results(view, polygons=False))
    image = results['img'].copy()
    nipple = pack(results)['data_samples'].nodes[0]
    x, y = nipple - 0.5
    expected = dot_at(nipple, image.shape, sigma=3)
    assert (image * expected).sum() > 0.8 * image.sum() * (image * image).sum() / image.sum()
    peak = np.array(np.unravel_index(image.argmax(), image.shape))[::-1]
    assert np.abs(peak - (x, y)).max() <= 1


def test_nodes_are_those_of_anatomy_scaled():
    results = dotted_results() | {'homography_matrix': np.diag([0.5, 0.25, 1])}
    nodes = pack(results, num_nodes=(13, 17))['data_samples'].nodes
    reference = pseudo_landmarks(dotted_results()['landmarks'], 'CC', 13)
    np.testing.assert_allclose(nodes, reference * (0.5, 0.25), atol=1e-4)


def test_the_corner_line_is_where_the_mode_says():
    landmarks = replace(
        dotted_results('MLO')['landmarks'], pectoral_line=np.array([[SIZE[1] / 3, 0], [0, SIZE[0] / 3]])
    )
    results = {mode: dotted_results('MLO') | {'landmarks': landmarks} for mode in CORNER_MODES}
    places = {mode: pack(results[mode], corner_mode=mode)['data_samples'].nodes for mode in CORNER_MODES}
    for mode, nodes in places.items():
        np.testing.assert_allclose(nodes, pseudo_landmarks(landmarks, 'MLO', 26, mode), atol=1e-3)
    assert np.abs(places['seed'] - places['midpoint']).max() > 1
    with pytest.raises(LandmarkError, match="corner_mode: found 'middle'"):
        PackMammogram(corner_mode='middle')


def test_mirrored_exam_has_mirrored_nodes():
    width = SIZE[1]
    mirror = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1.0]])
    plain = pack(dotted_results('MLO'))['data_samples'].nodes
    mirrored = pack(dotted_results('MLO') | {'homography_matrix': mirror})['data_samples'].nodes
    np.testing.assert_allclose(mirrored, np.stack([width - plain[:, 0], plain[:, 1]], axis=-1), atol=1e-4)


@pytest.mark.parametrize('change', [{'landmarks': None}, {'view': 'XCCL'}, {'view': 'UNKNOWN'}])
def test_no_nodes_without_landmarks_or_in_other_views(change):
    data = pack(dotted_results() | change)['data_samples']
    assert data.nodes is None
    assert (data.breast_mask is None) == ('landmarks' in change)


def test_image_gains_one_channel():
    assert pack(dotted_results())['inputs'].shape == (1, *SIZE)


def test_two_counts_are_needed():
    with pytest.raises(ValueError, match='zip'):
        PackMammogram(num_nodes=(22,))
