"""The crop and the muscle of paper 2's notebooks, on images whose box and line are known."""

import cv2
import numpy as np
import pytest
from skimage.feature import canny
from skimage.filters import sobel
from skimage.transform import hough_line, hough_line_peaks

from mmmammo.preprocessing.rsna_recipe import rsna_box, rsna_muscle

SHAPE = (1600, 1200)


def muscle_image(run=600, drop=900):
    """A breast that fills the image, and a brighter muscle behind the line from (run, 0) to (0, drop)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    muscle = x / run + y / drop < 1
    return np.where(muscle, 0.8, 0.3).astype(np.float32), muscle


def test_the_box_is_that_of_the_largest_region_inside_of_a_frame():
    image = np.zeros(SHAPE, np.float32)
    image[400:1200, 0:800] = 0.5
    image[1400:1500, 1000:1100] = 1.0  # a label
    image[:, 1190:] = 1.0  # a bright edge, within the frame of 20 pixels
    assert rsna_box(image) == (20, 400, 800, 1200)


@pytest.mark.parametrize(('level', 'seen'), [(20.5 / 255, False), (21.5 / 255, True)])
def test_brighter_than_20_of_255_is_breast(level, seen):
    image = np.zeros(SHAPE, np.float32)
    image[400:1200, 40:800] = level
    assert (rsna_box(image) == (40, 400, 800, 1200)) == seen
    assert (rsna_box(image) == (0, 0, 1200, 1600)) != seen


def test_regions_that_touch_at_a_corner_are_one():
    image = np.zeros(SHAPE, np.float32)
    image[400:800, 200:600] = image[800:1200, 600:1000] = 0.5
    assert rsna_box(image) == (200, 400, 1000, 1200)


def test_the_triangle_behind_the_line_is_the_muscle():
    image, muscle = muscle_image()
    found = rsna_muscle(image)
    assert (found & muscle).sum() / (found | muscle).sum() > 0.97
    assert found[0, 0] and not found[-1, -1]


def test_the_line_is_the_nearest_of_the_peaks_that_may_be_one():
    """The recipe written out: distances and angles of the peaks, the smallest distance, intercepts d/cos and d/sin."""
    image, _ = muscle_image()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    image = np.where(x / 1100 + y / 1500 < 1, image, 0.05).astype(np.float32)  # another line, farther away
    quarter = cv2.resize((image * 255).astype(np.uint8), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_LINEAR)
    peaks = list(zip(*hough_line_peaks(*hough_line(sobel(canny(quarter, sigma=2.25)))), strict=True))
    allowed = [(d, a) for _, a, d in peaks if 1 <= d <= 384 and 1 <= np.rad2deg(a) <= 89]
    distance, angle = min(allowed)
    assert len(allowed) > 1
    found = rsna_muscle(image)
    assert 4 * distance / np.cos(angle) == pytest.approx(found[0].sum(), abs=8)
    assert 4 * distance / np.sin(angle) == pytest.approx(found[:, 0].sum(), abs=8)


@pytest.mark.parametrize('mirrored', [False, True])
def test_without_a_line_there_is_no_muscle(mirrored):
    """Nothing to see, or a line that rises to the other corner."""
    image = muscle_image()[0][:, ::-1] if mirrored else np.full(SHAPE, 0.5, np.float32)
    assert rsna_muscle(image) is None


def test_small_images_are_no_error():
    assert rsna_box(np.ones((30, 20), np.float32)) is not None
    assert rsna_muscle(np.ones((30, 20), np.float32)) is None
