"""High-risk regions: the formula, its bounds, and what odd boxes give."""

import math

import numpy as np
import pytest

from mmmammo.structures import MammoError
from mmmammo.visualization import region_map


def phi(value):
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))


def literal(boxes, scores, shape, softness):
    """The docstring, pixel by pixel."""
    found = np.zeros(shape)
    for row in range(shape[0]):
        for column in range(shape[1]):
            for (x1, y1, x2, y2), score in zip(boxes, scores, strict=True):
                value = score
                for t, low, high in ((column + 0.5, x1, x2), (row + 0.5, y1, y2)):
                    d = softness * (high - low)
                    value *= (phi((t - low) / d) - phi((t - high) / d)) / (2 * phi((high - low) / (2 * d)) - 1)
                found[row, column] = max(found[row, column], value)
    return found


@pytest.mark.parametrize('softness', [0.1, 0.25, 0.6])
def test_it_is_the_formula(softness):
    boxes, scores = [[4, 3, 14, 9], [10, 6, 17, 22.5], [-5, -3, 3, 2]], [0.9, 0.4, 1.0]
    found = region_map(boxes, scores, (24, 20), softness)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, literal(boxes, scores, (24, 20), softness), atol=1e-4)  # drawn to 4 deviations


def test_score_in_the_middle_half_of_it_at_the_edge():
    found = region_map([[50, 50, 151, 131]], [0.8], (200, 300))
    assert found[90, 100] == pytest.approx(0.8) == found.max()
    assert 0.8 * 0.5 < found[90, 50] < 0.8 * 0.56  # half a pixel inside
    assert 0 < found[90, 10] < 0.06 and found[199, 299] == 0  # 1.6 standard deviations outside; beyond four


def test_bounded_and_blind_to_order_and_weaker_repeats():
    rng = np.random.default_rng(0)
    corner = rng.uniform(-10, 60, (300, 2))
    boxes, scores = np.hstack([corner, corner + rng.uniform(0, 40, (300, 2))]), rng.random(300)
    found = region_map(boxes, scores, (64, 48))
    assert found.min() >= 0 and found.max() <= scores.max() * (1 + 1e-6)
    order = rng.permutation(300)
    assert np.array_equal(found, region_map(boxes[order], scores[order], (64, 48)))
    assert np.array_equal(found, region_map(np.vstack([boxes, boxes]), np.hstack([scores, scores / 2]), (64, 48)))
    assert (region_map(boxes, scores**2, (64, 48)) <= found + 1e-7).all()


def test_a_mirrored_view_has_the_mirrored_map():
    boxes = np.array([[3.0, 5, 20, 30], [30, 2, 41, 12]])
    mirrored = np.column_stack([50 - boxes[:, 2], boxes[:, 1], 50 - boxes[:, 0], boxes[:, 3]])
    plain, other = (region_map(b, [0.3, 0.9], (40, 50)) for b in (boxes, mirrored))
    np.testing.assert_allclose(other, plain[:, ::-1], atol=1e-6)


def test_nothing_gives_zeros():
    assert not region_map([], [], (5, 4)).any() and region_map([], [], (5, 4)).shape == (5, 4)


@pytest.mark.parametrize('box', [[7, 7, 8, 8], [7.5, 7.5, 7.5, 7.5], [0, 0, 0.2, 20]])
def test_small_boxes_show(box):
    assert region_map([box], [0.9], (20, 20)).max() > 0.5


def test_a_box_outside_shows_nothing():
    assert not region_map([[100, 100, 110, 110]], [1.0], (20, 20)).any()


@pytest.mark.parametrize(
    ('boxes', 'scores', 'shape', 'softness', 'words'),
    [
        ([[0, 0, 1, 1]], [0.1, 0.2], (4, 4), 0.25, 'found 2 for 1 boxes'),
        ([[0, 0, math.nan, 1]], [0.1], (4, 4), 0.25, 'not finite'),
        ([[3, 0, 1, 1]], [0.1], (4, 4), 0.25, 'ends before it begins'),
        ([[0, 0, 1, 1]], [1.5], (4, 4), 0.25, r'found 1.5 to 1.5'),
        ([[0, 0, 1, 1]], [math.nan], (4, 4), 0.25, 'numbers in'),
        ([], [], (0, 4), 0.25, 'sides of at least one pixel'),
        ([], [], (4, 4), 0.0, 'softness'),
    ],
)
def test_bad_input_is_named(boxes, scores, shape, softness, words):
    with pytest.raises(MammoError, match=words):
        region_map(boxes, scores, shape, softness)
