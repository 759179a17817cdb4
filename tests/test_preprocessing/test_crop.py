import numpy as np
import pytest

from mmmammo.preprocessing import crop_to_breast
from mmmammo.structures import Affine


def breast(size=(600, 500), centre=(0, 300), axes=(200, 150)):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return np.where(((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 < 1, 0.6, 0.0)


def test_crop_keeps_the_breast_a_margin_and_the_wall():
    image = breast()
    cropped, affine = crop_to_breast(image, margin=0.02)
    assert cropped.shape == pytest.approx((300 + 12, 200 + 6), abs=4)
    assert (cropped > 0).sum() == (image > 0).sum()
    dx, dy = affine.matrix[:2, 2]
    assert dx == 0 and dy == pytest.approx(-144, abs=3)


def test_affine_maps_pixels_of_the_image_to_pixels_of_the_crop():
    image = breast()
    image[300, 100] = 0.9
    cropped, affine = crop_to_breast(image)
    x, y = affine.points((100.5, 300.5))
    assert cropped[int(y), int(x)] == 0.9


def test_right_breast_keeps_its_wall_on_the_right():
    cropped, affine = crop_to_breast(breast()[:, ::-1])
    assert cropped[150, -1] == 0.6
    assert affine.matrix[0, 2] == cropped.shape[1] - 500
    assert (cropped[:, 0] == 0).all()


def test_padding_behind_the_wall_is_cut_off():
    cropped, affine = crop_to_breast(np.pad(breast(), ((0, 0), (80, 0))))
    assert affine.matrix[0, 2] == pytest.approx(-80, abs=1)
    assert cropped[150, 2] == 0.6


def test_without_a_breast_nothing_changes():
    image = np.zeros((40, 30))
    cropped, affine = crop_to_breast(image)
    assert cropped.shape == image.shape
    assert affine == Affine.identity()
