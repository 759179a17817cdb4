"""Windows at uneven strides, and the mean of what they say."""

import numpy as np
import pytest

from mmmammo.preprocessing.overlapping_windows import even_strides, mean_of_windows, window_starts


@pytest.mark.parametrize('length', [256, 257, 300, 326, 327, 1000, 2440, 3656])
@pytest.mark.parametrize('seed', range(3))
def test_strides_end_with_the_image_and_cover_it(length, seed):
    strides = even_strides(length, 256, 70, np.random.default_rng(seed))
    assert sum(strides) == length - 256
    assert len(strides) == int(np.ceil((length - 256) / 70))
    assert all(1 <= stride <= 70 for stride in strides)
    assert not strides or max(strides) - min(strides) <= 1
    starts = window_starts(length, 256, 70, np.random.default_rng(seed))
    covered = np.zeros(length, dtype=int)
    for start in starts:
        covered[start : start + 256] += 1
    assert covered.min() >= 1 and starts[0] == 0 and starts[-1] == length - 256


def test_the_seed_says_which_strides_are_shorter():
    drawn = {tuple(even_strides(1000, 256, 70, np.random.default_rng(seed))) for seed in range(10)}
    assert len(drawn) > 1
    assert even_strides(1000, 256, 70, np.random.default_rng(3)) == even_strides(
        1000, 256, 70, np.random.default_rng(3)
    )


@pytest.mark.parametrize(('length', 'window', 'stride'), [(255, 256, 70), (300, 256, 257), (300, 256, 0)])
def test_gaps_and_windows_larger_than_the_image_are_refused(length, window, stride):
    with pytest.raises(ValueError, match='even_strides'):
        even_strides(length, window, stride, np.random.default_rng(0))


def test_the_mean_is_that_of_the_covering_windows():
    generator = np.random.default_rng(0)
    rows, columns = [0, 3, 7, 9], [0, 4, 5]
    values = generator.random((4, 3, 2))
    heatmap = mean_of_windows(values, rows, columns, 5, (14, 10))
    for y in range(14):
        for x in range(10):
            over = [
                values[i, j]
                for i, top in enumerate(rows)
                for j, left in enumerate(columns)
                if top <= y < top + 5 and left <= x < left + 5
            ]
            np.testing.assert_allclose(heatmap[:, y, x], np.mean(over, axis=0), rtol=1e-6)


def test_a_constant_net_has_a_constant_heatmap():
    generator = np.random.default_rng(0)
    rows, columns = window_starts(900, 256, 70, generator), window_starts(640, 256, 70, generator)
    values = np.full((len(rows), len(columns), 4), 0.37)
    np.testing.assert_allclose(mean_of_windows(values, rows, columns, 256, (900, 640)), 0.37, rtol=1e-6)


def test_a_pixel_without_a_window_is_undefined():
    heatmap = mean_of_windows(np.ones((1, 1, 1)), [0], [0], 2, (3, 2))
    assert np.isnan(heatmap[0, 2]).all() and (heatmap[0, :2] == 1).all()
