"""Sides and pixels of single images."""

import numpy as np
import pytest

from mmmammo.datasets.transforms import AsDisplayed, FlipView
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.structures import Affine

IMAGE = np.arange(12, dtype=np.float32).reshape(3, 4)


def sample(laterality='L', affine=None):
    affine = Affine.identity() if affine is None else affine
    return {'img': IMAGE.copy(), 'img_shape': IMAGE.shape, 'laterality': laterality, 'affine': affine.matrix}


@pytest.mark.parametrize(('side', 'other'), [('L', 'R'), ('R', 'L'), ('U', 'U')])
def test_a_mirrored_breast_is_of_the_other_side(side, other):
    flipped = FlipView(prob=1.0)(sample(side))
    assert flipped['laterality'] == other
    np.testing.assert_array_equal(flipped['img'], IMAGE[:, ::-1])


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_flipping_twice_is_nothing(direction):
    flip = FlipView(prob=1.0, direction=direction)
    twice = flip(flip(sample()))
    assert twice['laterality'] == 'L'
    np.testing.assert_array_equal(twice['img'], IMAGE)
    np.testing.assert_allclose(twice['homography_matrix'], np.eye(3))


@pytest.mark.parametrize(('direction', 'side'), [('horizontal', 'R'), ('vertical', 'L'), ('diagonal', 'R')])
def test_only_left_and_right_are_exchanged(direction, side):
    assert FlipView(prob=1.0, direction=direction)(sample())['laterality'] == side


def test_the_breast_stays_known():
    flip = FlipView(prob=1.0)
    once = flip(sample('R'))
    assert (once['laterality'], once['breast_side']) == ('L', 'R')
    twice = flip(once)
    assert (twice['laterality'], twice['breast_side']) == ('R', 'R')


def test_what_is_not_flipped_keeps_its_side():
    kept = FlipView(prob=0.0)(sample())
    assert kept['laterality'] == 'L' and 'breast_side' not in kept
    np.testing.assert_array_equal(kept['img'], IMAGE)


def test_a_sample_without_side_is_flipped():
    results = sample()
    del results['laterality']
    np.testing.assert_array_equal(FlipView(prob=1.0)(results)['img'], IMAGE[:, ::-1])


def test_right_breasts_are_mirrored_back():
    right = AsDisplayed()(sample('R', Affine.mirror(4)))
    np.testing.assert_array_equal(right['img'], IMAGE[:, ::-1])
    assert right['laterality'] == 'R' and right['img'].flags['C_CONTIGUOUS']
    # the prepared pixel (0.5, y) is seen at the right edge now
    np.testing.assert_allclose(current_affine(right).points([[0.5, 1.5]]), [[3.5, 1.5]])


def test_left_breasts_stay():
    left = AsDisplayed()(sample('L', Affine.scaling(0.5, 0.5)))
    np.testing.assert_array_equal(left['img'], IMAGE)
