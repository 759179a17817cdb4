"""ATD(k) by its closed forms."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import average_top_distance, weighted_top_distances
from mmmammo.structures import MammoError


def random_boxes(n, seed=0):
    return np.random.default_rng(seed).random((n, 4))


def test_anchors_on_their_lesions_are_at_no_distance():
    assert average_top_distance(random_boxes(9), random_boxes(9), 3) == 0.0


@pytest.mark.parametrize('k', [1, 5, 100])
def test_equal_distances_give_that_distance_for_any_k(k):
    boxes = np.full((20, 4), 0.5)
    assert average_top_distance(boxes + np.array([0.1, -0.1, 0.2, 0]), boxes, k) == pytest.approx(0.4)


def test_the_mean_of_the_largest():
    boxes = np.zeros((4, 4))
    anchors = boxes + np.array([[0.1], [0.4], [0.2], [0.3]]) / 4
    found = [average_top_distance(anchors, boxes, k) for k in (1, 2, 4, 9)]
    assert found == pytest.approx([0.4, 0.35, 0.25, 0.25])


def test_it_never_rises_with_k():
    values = [average_top_distance(random_boxes(30), random_boxes(30, 1), k) for k in range(1, 32)]
    assert (np.diff(values) <= 1e-12).all() and values[-1] == values[-2]


def test_lesions_that_are_drawn_twice_count_twice():
    distances = [0.1, 0.4, 0.2, 0.3]
    weights = [[1, 1, 1, 1], [0, 2, 1, 0], [3, 0, 0, 1], [0, 0, 0, 0]]
    assert weighted_top_distances(distances, weights, 3) == pytest.approx([0.3, 1.0 / 3, 0.5 / 3, np.nan], nan_ok=True)
    assert weighted_top_distances(distances, weights, 1)[:3] == pytest.approx([0.4, 0.4, 0.3])
    assert np.isnan(weighted_top_distances([], np.ones((2, 0)), 5)).all()


@pytest.mark.parametrize('k', [1, 4, 17, 100])
def test_weights_are_repeats(k):
    rng = np.random.default_rng(k)
    anchors, boxes, weights = rng.random((30, 4)), rng.random((30, 4)), rng.integers(0, 4, (5, 30))
    distances = np.abs(anchors - boxes).sum(axis=1)
    literal = [np.sort(np.repeat(distances, row))[-k:].mean() for row in weights]
    assert weighted_top_distances(distances, weights, k) == pytest.approx(literal)
    plain = average_top_distance(anchors, boxes, k)
    assert weighted_top_distances(distances, np.ones((1, 30)), k)[0] == pytest.approx(plain)


def test_without_lesions_undefined():
    assert average_top_distance([], [], 5).reason == 'no lesion in the ground truth'


@pytest.mark.parametrize(
    ('anchors', 'boxes', 'k', 'words'),
    [
        (random_boxes(2), random_boxes(2), 0, 'k: found 0'),
        (random_boxes(2), random_boxes(3), 1, 'anchors: found 2 rows; expected 3'),
        ([[0.5, 0.5, 0.1, 0.1], [40, 40, 9, 9]], random_boxes(2), 1, r'anchors\[1\]: found \[40.*divide by the width'),
        (random_boxes(2), [[0, 0, 1, np.nan], [0, 0, 1, 1]], 1, r'boxes\[0\].*nan'),
        ([[0.5, 0.5, 0.1]], [[0.5, 0.5, 0.1]], 1, r'boxes?|anchors: found shape \(1, 3\)'),
    ],
)
def test_bad_input_is_named(anchors, boxes, k, words):
    with pytest.raises(MammoError, match=words):
        average_top_distance(anchors, boxes, k)
