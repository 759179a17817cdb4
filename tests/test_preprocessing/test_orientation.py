"""Which way a breast points."""

import cv2
import numpy as np
import pytest

from mmmammo.preprocessing import breast_side, orient_chest_left
from mmmammo.structures import Affine, Laterality


def half_ellipse(margin=0, noise=0.0, height=600, width=400):
    """A breast on the left edge, or ``margin`` dark columns away from it."""
    canvas = np.zeros((height, width), np.float32)
    cv2.ellipse(canvas, (margin, height // 2), (int(width * 0.55), int(height * 0.4)), 0, -90, 90, 0.6, -1)
    return np.clip(canvas + noise * np.random.default_rng(1).random(canvas.shape, dtype=np.float32), 0, 1)


@pytest.mark.parametrize('margin', [0, 1, 40])
@pytest.mark.parametrize('noise', [0.0, 0.05])
def test_side_of_the_chest_wall(margin, noise):
    image = half_ellipse(margin, noise)
    assert breast_side(image) is Laterality.LEFT
    assert breast_side(np.ascontiguousarray(image[:, ::-1])) is Laterality.RIGHT


def test_a_label_on_the_other_edge_does_not_matter():
    image = half_ellipse()
    image[20:80, 300:398] = 1
    assert breast_side(image) is Laterality.LEFT


def test_an_empty_image_has_no_side():
    assert breast_side(np.zeros((300, 200), np.float32)) is Laterality.UNKNOWN


def test_right_is_mirrored_and_the_affine_follows():
    image = np.arange(6.0).reshape(2, 3)
    turned, affine = orient_chest_left(image, 'R')
    np.testing.assert_array_equal(turned, [[2, 1, 0], [5, 4, 3]])
    assert affine == Affine.mirror(3)
    np.testing.assert_array_equal(affine.points([0.5, 0.5]), [2.5, 0.5])


@pytest.mark.parametrize('side', ['L', 'U'])
def test_others_stay_as_they_are(side):
    image = np.arange(6.0).reshape(2, 3)
    same, affine = orient_chest_left(image, side)
    np.testing.assert_array_equal(same, image)
    assert affine == Affine.identity()


def test_orienting_twice_changes_nothing_more():
    turned, _ = orient_chest_left(np.ascontiguousarray(half_ellipse()[:, ::-1]), Laterality.RIGHT)
    assert breast_side(turned) is Laterality.LEFT
