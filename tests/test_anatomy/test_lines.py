import numpy as np
import pytest

from mmmammo.anatomy.lines import chord, chord_or_projection, downward

SQUARE = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
LETTER_C = np.array([[0.0, 0], [10, 0], [10, 3], [4, 3], [4, 7], [10, 7], [10, 10], [0, 10]])
DOWN = np.array([0.0, 1.0])


def test_chord_of_a_square():
    np.testing.assert_allclose(chord(SQUARE, np.array([4.0, 77.0]), DOWN), [[4, 0], [4, 10]])


def test_chord_of_a_concave_outline_reaches_the_outermost_intersections():
    np.testing.assert_allclose(chord(LETTER_C, np.array([8.0, 5.0]), DOWN), [[8, 0], [8, 10]])


def test_line_on_the_edge_spans_it():
    np.testing.assert_allclose(chord(SQUARE, np.array([0.0, 5.0]), DOWN), [[0, 0], [0, 10]])


def test_line_that_misses_has_no_chord_but_a_projection():
    outside = np.array([14.0, 5.0])
    assert chord(SQUARE, outside, DOWN) is None
    np.testing.assert_allclose(chord_or_projection(SQUARE, outside, DOWN), [[14, 0], [14, 10]])


@pytest.mark.parametrize(
    ('line', 'expected'),
    [([[3, 9], [3, 1]], (0, 1)), ([[5, 2], [1, 2]], (1, 0)), ([[2, 2], [2, 2]], (0, 1))],
    ids=['upward', 'level', 'no length'],
)
def test_downward(line, expected):
    np.testing.assert_allclose(downward(np.array(line, dtype=float)), expected)
