"""Resizing to a width, cutting windows, and the way back to the image."""

import numpy as np
import pytest

from mmmammo.preprocessing.framing import centre_corner, cut_window, overview, random_rigid, resize_to_width, warp
from mmmammo.structures import Affine
from mmmammo.structures.windows import window_corners

# width x height of the eight sizes of paper 4 are not given but for the least and the greatest; these lie between
SIZES = [(940, 2340), (1914, 2294), (2082, 2800), (2560, 3328), (2394, 2850), (2800, 3518), (3328, 4084), (3328, 4096)]


@pytest.mark.parametrize('size', SIZES)
def test_overview_of_every_size_is_976_square_and_leads_back(size):
    image = np.zeros(size[::-1], np.float32)
    seen, affine = overview(image, 976, (976, 976))
    assert seen.shape == (976, 976)
    point = np.array([300.0, 400.0])
    x, y = affine.inverse().points(point)
    crop_top = (round(size[1] * 976 / size[0]) - 976) // 2
    assert x == pytest.approx(point[0] * size[0] / 976, abs=0.5)
    assert y == pytest.approx((point[1] + crop_top) * size[0] / 976, abs=0.5)
    assert affine.points((x, y)) == pytest.approx(point, abs=1e-9)


def test_3328_x_4096_keeps_81_per_cent_of_its_height():
    resized, _ = resize_to_width(np.zeros((4096, 3328), np.float32), 976)
    assert resized.shape == (1201, 976)


def test_a_bright_pixel_is_found_where_the_affine_says():
    image = np.zeros((400, 300), np.float32)
    image[210:220, 90:100] = 1
    seen, affine = overview(image, 150, (128, 128))
    y, x = np.argwhere(seen > 0.5).mean(axis=0) + 0.5
    assert affine.points((95, 215)) == pytest.approx((x, y), abs=0.5)


@pytest.mark.parametrize(('height', 'width'), [(50, 60), (40, 200), (200, 40)])
def test_an_image_smaller_than_the_crop_is_black_all_round(height, width):
    image = np.ones((height, width), np.float32)
    x, y = centre_corner((width, height), (100, 100))
    window = cut_window(image, (x, y), (100, 100))
    assert window.shape == (100, 100)
    assert window.sum() == min(height, 100) * min(width, 100)
    assert abs(window[:, ::-1].argmax(axis=1).max() - window.argmax(axis=1).max()) <= 1


def test_a_window_outside_is_black():
    assert not cut_window(np.ones((10, 10), np.float32), (20, -30), (5, 5)).any()


def test_windows_stay_inside_and_hold_their_centre():
    corners = window_corners([[0, 0], [50, 40], [100, 80]], (20, 10), (100, 80))
    assert corners.tolist() == [[0, 0], [40, 35], [80, 70]]


def test_a_window_larger_than_the_image_lies_symmetrically():
    assert window_corners([[3, 3]], (20, 10), (10, 30)).tolist() == [[-5, 0]]


def test_warp_by_whole_pixels_is_a_cut():
    image = np.random.default_rng(0).random((30, 20), np.float32)
    moved = warp(image, Affine.translation(-3, -4), (10, 12))
    assert np.allclose(moved, cut_window(image, (3, 4), (10, 12)), atol=1e-5)


def test_warp_mirrors():
    image = np.random.default_rng(0).random((8, 6), np.float32)
    assert np.allclose(warp(image, Affine.mirror(6), (6, 8)), image[:, ::-1], atol=1e-5)


def test_random_rigid_keeps_sizes_and_stays_on_the_canvas():
    rng = np.random.default_rng(0)
    for _ in range(50):
        affine = random_rigid((100, 160), (80, 80), 8, 10, 0.5, rng)
        assert abs(np.linalg.det(affine.matrix[:2, :2])) == pytest.approx(1)
        middle = affine.points((50, 80))
        assert -40 <= middle[1] <= 120 and 40 - 10 <= middle[0] <= 50  # the canvas is 100 x 160: room of 20 and 80


def test_random_rigid_without_freedom_is_the_central_cut():
    affine = random_rigid((100, 160), (100, 160), 0, 0, 0, np.random.default_rng(0))
    assert np.allclose(affine.matrix, np.eye(3))
