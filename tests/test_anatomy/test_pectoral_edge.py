"""A muscle whose front is an arc, and the straight line nearest to it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mmmammo.anatomy import detect_landmarks
from mmmammo.anatomy.pectoral_edge import straight_line

CENTRE, RADIUS = np.array([-500.0, -60.0]), 820.0  # the arc runs from (318, 0) to (0, 590)


def curved(size=(1024, 700), fades_at=None, noise=0.0):
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x / 560) ** 2 + ((y - height / 2) / 650) ** 2 < 1
    muscle = inside & (np.hypot(x - CENTRE[0], y - CENTRE[1]) < RADIUS)
    step = 0.4 if fades_at is None else 0.4 * np.clip((fades_at - y) / 150, 0, 1)
    image = np.where(inside, 0.4, 0.02) + step * muscle
    image = gaussian_filter(image, 1) + np.random.default_rng(0).normal(0, noise, size)
    return np.clip(image, 0, 1).astype(np.float32)


def arc(lowest=590.0):
    """Points of the true edge at equal distances, from the top of the image down."""
    angles = np.arcsin((np.array([0.0, lowest]) - CENTRE[1]) / RADIUS)
    at = np.linspace(*angles, 400)
    return CENTRE + RADIUS * np.column_stack([np.cos(at), np.sin(at)])


def total_least_squares(points):
    """Middle and normal: the direction in which the points spread least."""
    middle = points.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((points - middle).T))
    return middle, vectors[:, 0]


@pytest.mark.parametrize(('noise', 'near'), [(0.0, 4), (0.05, 8)])
def test_arc_is_followed_from_the_top_to_the_chest_wall(noise, near):
    edge = detect_landmarks(curved(noise=noise), 'L', 'MLO').pectoral_edge
    assert np.abs(np.hypot(*(edge - CENTRE).T) - RADIUS).max() < near
    assert edge[0, 1] < 20 and edge[-1, 1] > 550
    assert (np.diff(edge[:, 1]) > 0).all()


@pytest.mark.parametrize('noise', [0.0, 0.05])
def test_line_covers_the_whole_arc(noise):
    found = detect_landmarks(curved(noise=noise), 'L', 'MLO')
    middle, normal = total_least_squares(arc())
    off = (found.pectoral_line - middle) @ normal
    assert np.abs(off).max() < 8


def test_edge_ends_where_it_fades():
    found = detect_landmarks(curved(fades_at=450), 'L', 'MLO')
    assert 300 < found.pectoral_edge[-1, 1] < 450
    middle, normal = total_least_squares(arc(lowest=found.pectoral_edge[-1, 1]))
    off = (straight_line(found.pectoral_edge)[0] - middle) @ normal
    assert np.abs(off).max() < 5


@pytest.mark.parametrize('factor', [2, 4])
def test_resolution_does_not_matter(factor):
    image = curved()
    small = image.reshape(1024 // factor, factor, 700 // factor, factor).mean(axis=(1, 3))
    whole, reduced = (detect_landmarks(i, 'L', 'MLO') for i in (image, small))
    np.testing.assert_allclose(factor * reduced.pectoral_line, whole.pectoral_line, atol=8)


def test_curvature_costs_confidence(make_breast):
    straight = detect_landmarks(make_breast(semi_axes=(560, 650), muscle_top=318, degrees=62), 'L', 'MLO')
    bent = detect_landmarks(curved(), 'L', 'MLO')
    assert bent.part_confidence['pectoral_line'] < straight.part_confidence['pectoral_line']


def test_straight_line_by_hand():
    # Middle (3, 0) and no covariance of x and y: the line is y = 0, each point lies 1 off, the line is 6 long.
    line, residual = straight_line(np.array([[0.0, 1], [2, -1], [4, -1], [6, 1]]))
    np.testing.assert_allclose(line, [[0, 0], [6, 0]], atol=1e-12)
    assert residual == pytest.approx(1 / 6)


@pytest.mark.parametrize(('view', 'method'), [('CC', 'robust'), ('MLO', 'paper')])
def test_no_edge_is_claimed_where_none_is_followed(view, method):
    assert detect_landmarks(curved(), 'L', view, method).pectoral_edge is None
