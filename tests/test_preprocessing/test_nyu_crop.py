"""The NYU crop, against iterated erosions and the windows published for their sample exam."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from mmmammo.preprocessing.nyu_crop import dilate, erode, nyu_crop
from mmmammo.preprocessing.nyu_window import WINDOW_SIZES, optimal_centre

CROSS = ndimage.generate_binary_structure(2, 1)
SHAPE = (4096, 3328)
"""Of the published exam."""


@pytest.mark.parametrize('iterations', [0, 1, 2, 5])
@pytest.mark.parametrize('seed', range(4))
def test_distances_do_what_iterations_do(iterations, seed):
    generator = np.random.default_rng(seed)
    mask = ndimage.gaussian_filter(generator.normal(size=(41, 33)), 3) > -0.05
    for fast, literal in ((erode, ndimage.binary_erosion), (dilate, ndimage.binary_dilation)):
        expected = mask
        for _ in range(iterations):
            expected = literal(expected, CROSS)
        np.testing.assert_array_equal(fast(mask, iterations), expected)


def test_an_empty_mask_stays_empty():
    assert not dilate(np.zeros((5, 5), dtype=bool), 3).any()
    assert erode(np.ones((5, 5), dtype=bool), 2).sum() == 1  # beyond the image there is nothing


def breast(tip, tip_rows, middle, top, bottom, foot=100):
    """A right-facing breast that survives 100 erosions: seeds, each with a diamond of 100 pixels round it.

    Its width falls evenly on both sides of the row ``middle``, so that a window round it holds the most; ``tip`` is the
    column of its farthest pixels in ``tip_rows``, ``top`` and ``bottom`` are its first and last row.
    """
    seeds = np.zeros(SHAPE, dtype=bool)
    rows = np.arange(SHAPE[0])
    distance = np.abs(rows - middle)
    half = min(middle - top, bottom - middle) - 100
    width = (tip - 101) * np.sqrt(np.clip(1 - distance / half, 0, None))
    columns = np.arange(SHAPE[1])
    seeds |= (columns >= foot) & (columns <= width[:, None]) & (distance <= half)[:, None]
    seeds[top + 100 : bottom - 99, foot] = True
    seeds[tip_rows[0] : tip_rows[1] + 1, foot : tip - 99] = True
    return dilate(seeds, 100)


def with_label(mask):
    """Bright letters in the corner that faces the nipple, too thin to survive."""
    marked = mask.copy()
    marked[20:120, -300:-200] = True
    return marked


def test_the_published_crop_and_centre_of_the_left_cc_view():
    mask = breast(tip=2389, tip_rows=(2232, 2311), middle=353 + 1850, top=403, bottom=3958)
    image = with_label(mask).astype(np.float32)
    crop = nyu_crop(image)
    assert crop.window == (353, 4009, 0, 2440)
    assert crop.rightmost == ((1879, 1958), 2389)
    assert crop.bottommost == (3605, (100, 100))
    assert crop.distance_from_starting_side == 0
    centre = optimal_centre(crop.cut(image), crop.rightmost[1], crop.bottommost[0], 'CC', WINDOW_SIZES['CC'])
    assert centre == (1850, 1417)


def test_the_published_crop_and_centre_of_the_right_cc_view():
    mask = breast(tip=2325, tip_rows=(2200, 2300), middle=71 + 2173, top=121, bottom=3720)
    image = with_label(mask).astype(np.float32)[:, ::-1]
    crop = nyu_crop(image, faces_right=False)
    assert crop.window == (71, 3771, 952, 3328)
    turned = crop.cut(image)[:, ::-1]
    centre = optimal_centre(turned, crop.rightmost[1], crop.bottommost[0], 'CC', WINDOW_SIZES['CC'])
    assert centre == (2173, 1354)


@pytest.mark.parametrize(
    ('faces_right', 'window', 'tip', 'bottom', 'expected'),
    [
        (True, (0, 3818, 0, 2607), 2556, 3767, (2279, 1681)),
        (False, (0, 3724, 848, 3328), 2429, 3673, (2185, 1555)),
    ],
    ids=['L-MLO', 'R-MLO'],
)
def test_the_published_crops_and_centres_of_the_mlo_views(faces_right, window, tip, bottom, expected):
    mask = breast(tip=tip, tip_rows=(2000, 2100), middle=2000, top=0, bottom=bottom)
    image = mask.astype(np.float32) if faces_right else mask.astype(np.float32)[:, ::-1]
    crop = nyu_crop(image, faces_right)
    assert crop.window == window
    turned = crop.cut(image) if faces_right else crop.cut(image)[:, ::-1]
    assert optimal_centre(turned, crop.rightmost[1], crop.bottommost[0], 'MLO', WINDOW_SIZES['MLO']) == expected


@pytest.mark.parametrize('name', ['L-CC', 'R-CC', 'L-MLO', 'R-MLO'])
def test_an_exam_that_was_cropped_so_is_its_own_crop(real_data, name):
    image = cv2.imread(str(real_data / 'exam_0' / f'0_{name}.png'), cv2.IMREAD_UNCHANGED)
    crop = nyu_crop(image, faces_right=name.startswith('L'))
    assert crop.window == (0, image.shape[0], 0, image.shape[1])
    assert crop.bottommost[0] == image.shape[0] - 51


def test_the_farthest_pixels_are_sought_below_the_top_third():
    mask = np.zeros((90, 60), dtype=bool)
    mask[0:90, 0:20] = True
    mask[2:12, 0:50] = True  # an arm
    mask[50:60, 0:35] = True
    crop = nyu_crop(mask.astype(float), iterations=1, buffer=3)
    assert crop.window == (0, 90, 0, 53)
    assert crop.rightmost[1] == 34
    assert 50 < crop.rightmost[0][0] <= crop.rightmost[0][1] < 60


def test_a_mirrored_image_has_the_mirrored_crop():
    generator = np.random.default_rng(0)
    image = np.zeros((80, 70))
    image[10:70, 0:40] = generator.random((60, 40)) + 0.1
    image[30:50, 40:55] = 1
    one, other = nyu_crop(image, iterations=3, buffer=5), nyu_crop(image[:, ::-1], False, 3, 5)
    assert other.window == (*one.window[:2], 70 - one.window[3], 70 - one.window[2])
    assert other.rightmost == (one.rightmost[0], one.rightmost[1] + 1)  # x -> w - x, as published
    np.testing.assert_array_equal(other.cut(image[:, ::-1])[:, ::-1], one.cut(image))


def test_a_breast_on_the_other_edge_is_told():
    image = np.zeros((60, 60))
    image[10:50, 30:60] = 1
    assert nyu_crop(image, iterations=2, buffer=2).distance_from_starting_side == 30
    assert nyu_crop(image, False, iterations=2, buffer=2).distance_from_starting_side == 0


@pytest.mark.parametrize('image', [np.zeros((50, 40)), np.ones((10, 10))])
def test_nothing_left_is_an_error(image):
    with pytest.raises(ValueError, match='survives 100 erosions'):
        nyu_crop(image)
