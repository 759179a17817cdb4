"""Windows of the NYU model: where they are, what they hold, what noise does to them."""

import numpy as np
import pytest

from mmmammo.preprocessing.nyu_window import (
    cut_window,
    noisy_window,
    optimal_centre,
    resized,
    standardised,
    window_around,
)


def literal_centre(image, right, size):
    """Every height, counted by hand."""
    height, width = size
    left = max(right - width, 0)
    tops = range(image.shape[0] - height + 1)
    counts = [np.count_nonzero(image[top : top + height, left : left + width]) for top in tops]
    best = [top for top in tops if counts[top] == max(counts)]
    top = min(best, key=lambda t: abs(t + height / 2 - image.shape[0] / 2))
    return top + (height - 1) // 2, left + (width - 1) // 2


@pytest.mark.parametrize('seed', range(6))
def test_cc_windows_hold_the_most(seed):
    image = np.random.default_rng(seed).random((40, 30)) > 0.8
    assert optimal_centre(image, 25, 39, 'CC', (11, 8)) == literal_centre(image, 25, (11, 8))


def test_ties_go_to_the_middle():
    assert optimal_centre(np.ones((41, 30)), 20, 40, 'CC', (11, 9)) == (20, 11 + 4)


def test_mlo_windows_stand_on_the_lowest_pixel():
    image = np.zeros((40, 30))
    image[:10] = 1  # a search would look here
    centre = optimal_centre(image, 25, 37, 'MLO', (10, 9))
    assert window_around(centre, (10, 9)) == (27, 37, 16, 25)


def test_a_small_image_is_padded_as_the_view_wants():
    image = np.arange(1, 13, dtype=float).reshape(3, 4)
    cc = cut_window(image, window_around(optimal_centre(image, 3, 2, 'CC', (7, 6)), (7, 6)))
    assert (cc[:2] == 0).all() and (cc[5:] == 0).all() and (cc[:, 4:] == 0).all()
    np.testing.assert_array_equal(cc[2:5, :4], image)
    mlo = cut_window(image, window_around(optimal_centre(image, 3, 2, 'MLO', (7, 6)), (7, 6)))
    np.testing.assert_array_equal(mlo[:3, :4], image)
    assert mlo.sum() == image.sum()


def test_other_views_have_no_window():
    with pytest.raises(ValueError, match='view: found ML;'):
        optimal_centre(np.ones((9, 9)), 8, 8, 'ML', (3, 3))


def test_cutting_beyond_the_image_gives_zeros():
    image = np.ones((2, 4, 5))
    assert cut_window(image, (-3, 6, -2, 8)).shape == (2, 9, 10)
    assert cut_window(image, (-3, 6, -2, 8)).sum() == image.sum()
    assert cut_window(image, (10, 12, 0, 5)).sum() == 0


def test_noise_is_within_its_bounds_and_inside_the_image():
    generator = np.random.default_rng(0)
    windows = np.array([noisy_window((50, 40), (40, 20), (100, 80), 12, 8, generator) for _ in range(400)])
    heights, widths = windows[:, 1] - windows[:, 0], windows[:, 3] - windows[:, 2]
    assert heights.min() == 32 and heights.max() == 48
    np.testing.assert_allclose(widths / heights, 0.5, atol=0.5 / heights.min())
    assert windows[:, 0].min() >= 0 and windows[:, 1].max() <= 100
    assert np.ptp(windows[:, 0] + (heights - 1) // 2) == 24  # 12 to either side
    edges = np.array([noisy_window((20, 10), (40, 20), (100, 80), 12, 0, generator) for _ in range(50)])
    assert edges[:, [0, 2]].min() == 0


def test_no_noise_is_the_window_itself():
    window = noisy_window((5, 7), (9, 4), (8, 30), 0, 0, np.random.default_rng(0))
    assert window == window_around((5, 7), (9, 4)) == (1, 10, 6, 10)


def test_resizing_keeps_what_has_its_size():
    image = np.random.default_rng(0).random((3, 12, 8)).astype(np.float32)
    assert resized(image, (12, 8)) is image
    assert resized(image, (24, 16)).shape == (3, 24, 16)
    np.testing.assert_allclose(resized(np.full((6, 6), 0.3), (9, 5)), 0.3, rtol=1e-6)


def test_standardising_a_flat_image_gives_zeros():
    image = np.random.default_rng(1).random((20, 30))
    done = standardised(image)
    np.testing.assert_allclose(done, (image - image.mean()) / image.std(), rtol=1e-5, atol=1e-6)
    assert not standardised(np.full((4, 4), 0.7)).any()
