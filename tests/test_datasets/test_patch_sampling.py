"""Proposals of paper 1 are uniform in area, aspect and place, and are labelled by what they hold."""

import numpy as np
import pytest
from scipy import stats

from mmmammo.datasets.patch_sampling import PatchSampling, fit_inside, patch_labels
from mmmammo.structures import MammoError

CENTRE, SIZE = (700.0, 400.0), (120.0, 80.0)


@pytest.fixture(scope='module')
def drawn():
    """(20000, 4) proposals around one box."""
    rng = np.random.default_rng(0)
    return np.array([PatchSampling().draw(CENTRE, SIZE, rng) for _ in range(20000)])


def test_area_aspect_and_centre_are_uniform(drawn):
    (x1, y1, x2, y2), (w0, h0) = drawn.T, SIZE
    width, height = x2 - x1, y2 - y1
    quantities = {
        'area': (width * height / (w0 * h0), 0.05, 5.0),
        'aspect': ((width / height) / (w0 / h0), 0.33, 1.66),
        'x': ((x1 + x2) / 2 - CENTRE[0], -50, 50),
        'y': ((y1 + y2) / 2 - CENTRE[1], -50, 50),
    }
    for name, (values, low, high) in quantities.items():
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 0.01, name
    area = quantities['area'][0]
    assert area.mean() == pytest.approx(2.525, abs=0.03)
    assert (area > 1).mean() == pytest.approx(0.81, abs=0.01)


def test_the_four_draws_are_independent(drawn):
    x1, y1, x2, y2 = drawn.T
    table = [(x2 - x1) * (y2 - y1), (x2 - x1) / (y2 - y1), (x1 + x2) / 2, (y1 + y2) / 2]
    correlations = np.corrcoef(table)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 0.03


def test_width_and_height_follow_the_formula():
    # a = 4, rho = 1: A = 4 * 120 * 80, r = 1.5: sqrt(A r) = 240, sqrt(A / r) = 160
    sampling = PatchSampling(area=(4, 4), aspect=(1, 1), jitter=0)
    box = sampling.draw(CENTRE, SIZE, np.random.default_rng(0))
    assert box == pytest.approx((700 - 120, 400 - 80, 700 + 120, 400 + 80))


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ((10.2, 20.4, 60.2, 70.4), (10, 20, 60, 70)),
        ((-30, 20, 20, 70), (0, 20, 50, 70)),  # shifted in
        ((80, 170, 130, 230), (50, 140, 100, 200)),
        ((-50, -50, 300, 100), (0, 0, 100, 150)),  # wider than the view: cut; higher than nothing: shifted
        ((40, 50, 40.2, 50.2), (40, 50, 41, 51)),  # never empty
    ],
)
def test_fit_inside(box, expected):
    assert fit_inside(box, (0, 0, 100, 200)) == expected


def test_fit_inside_a_frame_within_the_view():
    assert fit_inside((0, 0, 20, 20), (30, 40, 100, 100)) == (30, 40, 50, 60)


def test_any_patch_ends_in_the_frame(drawn):
    frame = (100, 50, 800, 450)
    for box in drawn[:500]:
        x1, y1, x2, y2 = fit_inside(box, frame)
        assert 100 <= x1 < x2 <= 800 and 50 <= y1 < y2 <= 450


def test_labels_are_those_of_its_box_and_of_centres_inside():
    boxes = np.array([[0, 0, 10, 10], [20, 20, 30, 30], [24, 50, 26, 52], [80, 80, 90, 90]], dtype=float)
    hot = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], dtype=np.float32)
    assert patch_labels((15, 15, 40, 40), boxes, hot, None).tolist() == [0, 1, 0, 0]
    assert patch_labels((15, 15, 40, 51), boxes, hot, None).tolist() == [0, 1, 1, 0]  # the border belongs to it
    assert patch_labels((15, 15, 40, 40), boxes, hot, 0).tolist() == [1, 1, 0, 1]  # jitter has left its own box
    assert patch_labels((40, 10, 60, 20), boxes, hot, None).tolist() == [0, 0, 0, 0]
    assert patch_labels((0, 0, 9, 9), np.zeros((0, 4)), np.zeros((0, 4), np.float32), None).tolist() == [0] * 4


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'area': (0, 5)}, r'area: found \(0, 5\)'),
        ({'aspect': (2, 1)}, r'aspect: found \(2, 1\)'),
        ({'jitter': -1}, 'jitter: found -1'),
        ({'area': (0.05, float('nan'))}, 'area'),
    ],
)
def test_distributions_that_make_no_sense(changes, words):
    with pytest.raises(MammoError, match=words):
        PatchSampling(**changes)
