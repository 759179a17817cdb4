"""Resizing by area where it shrinks and linearly where it grows."""

import numpy as np
import pytest
from mmcv.transforms import RandomChoiceResize

from mmmammo.datasets.transforms import SmoothResize


def resized(image, scale, keep_ratio=True):
    return SmoothResize(scale=scale, keep_ratio=keep_ratio)({'img': image, 'img_shape': image.shape})


def test_what_lies_between_the_pixels_of_a_smaller_image_stays_in_its_mean():
    image = np.zeros((40, 40), np.float32)
    image[1, 2] = 16.0  # linear interpolation to a quarter looks at pixels 1.5 and 5.5, not at this one alone
    small = resized(image, (10, 10))['img']
    assert small[0, 0] == pytest.approx(1.0) and small.sum() == pytest.approx(1.0)


def test_an_edge_of_a_larger_image_is_a_slope():
    image = np.repeat([[0.0, 0.0, 1.0, 1.0]], 4, axis=0).astype(np.float32)
    assert resized(image, (8, 8))['img'][0].tolist() == [0, 0, 0, 0.25, 0.75, 1, 1, 1]


def test_the_same_image_comes_back_and_boxes_follow():
    image = np.random.default_rng(0).random((30, 20), dtype=np.float32)
    assert np.array_equal(resized(image, (20, 30))['img'], image)
    found = SmoothResize(scale=(40, 60), keep_ratio=True)(
        {'img': image, 'img_shape': image.shape, 'gt_bboxes': np.array([[1.0, 2, 3, 4]], np.float32)}
    )
    assert found['gt_bboxes'].tolist() == [[2, 4, 6, 8]] and found['scale_factor'] == (2.0, 2.0)


def test_one_step_may_shrink_and_the_next_enlarge():
    step = SmoothResize(scale=(20, 20), keep_ratio=True)
    for side in (40, 10, 40):
        image = np.random.default_rng(0).random((side, side), dtype=np.float32)
        expected = SmoothResize(scale=(20, 20), keep_ratio=True)({'img': image, 'img_shape': image.shape})['img']
        assert np.array_equal(step({'img': image, 'img_shape': image.shape})['img'], expected)


def test_random_choices_use_it():
    step = RandomChoiceResize(scales=[(10, 10)], keep_ratio=True, resize_type='mmmammo.SmoothResize')
    assert isinstance(step.resize, SmoothResize)
