import numpy as np
import pytest

from mmmammo.anatomy import LandmarkError, node_layout, pseudo_landmarks
from mmmammo.structures import Affine, BreastLandmarks

SQUARE = np.array([[0.0, 0], [100, 0], [100, 100], [0, 100]])


def cc_square():
    return BreastLandmarks(contour=SQUARE, nipple=(100, 40), pectoral_line=[[0, 0], [0, 100]])


def mlo_square(degrees=60.0):
    """The line leaves the upper edge at x = 50."""
    run = 50 * np.tan(np.deg2rad(degrees))
    return BreastLandmarks(contour=SQUARE, nipple=(100, 70), pectoral_line=[[50, 0], [0, run]])


@pytest.mark.parametrize(('cc', 'mlo'), [(13, 17), (22, 26), (100, 105)])
def test_published_node_counts(cc, mlo):
    assert pseudo_landmarks(cc_square(), 'CC', cc).shape == (cc, 2)
    assert pseudo_landmarks(mlo_square(), 'MLO', mlo).shape == (mlo, 2)


@pytest.mark.parametrize(
    ('view', 'num_nodes', 'layout'),
    [('CC', 7, (2, 0)), ('CC', 22, (7, 0)), ('MLO', 17, (4, 3)), ('MLO', 26, (7, 3)), ('MLO', 30, (8, 4)),
     ('MLO', 105, (33, 4))],
)  # fmt: skip
def test_layout(view, num_nodes, layout):
    assert node_layout(view, num_nodes) == layout


@pytest.mark.parametrize(
    ('view', 'num_nodes', 'nearest'),
    [('CC', 21, '16, 19, 22, 25'), ('MLO', 27, '23, 26, 30'), ('CC', 0, '7, 10'), ('MLO', -5, '11, 14')],
)
def test_impossible_counts_list_the_nearest_possible_ones(view, num_nodes, nearest):
    with pytest.raises(LandmarkError, match=nearest):
        node_layout(view, num_nodes)
    with pytest.raises(ValueError, match='published pairs'):
        pseudo_landmarks(cc_square(), view, num_nodes)


def test_cc_nodes_by_hand():
    nodes = pseudo_landmarks(cc_square(), 'CC', 13)
    expected = [(100, 40)]
    for x in (200 / 3, 100 / 3, 0):
        expected += [(x, y) for y in (0, 100 / 3, 200 / 3, 100)]
    np.testing.assert_allclose(nodes, expected, atol=1e-9)


def test_mlo_nodes_by_hand():
    # A 45-degree line x + y = 50; the nipple's foot is 120 / 2 = 60 in x and y away.
    nodes = pseudo_landmarks(mlo_square(45), 'MLO', 17)
    lines = nodes[1:13].reshape(3, 4, 2)
    for line, level in zip(lines, (130, 90, 50), strict=True):
        np.testing.assert_allclose(line.sum(axis=1), level, atol=1e-9)
    np.testing.assert_allclose(lines[0][[0, -1]], [(100, 30), (30, 100)], atol=1e-9)
    np.testing.assert_allclose(lines[1][[0, -1]], [(90, 0), (0, 90)], atol=1e-9)
    np.testing.assert_allclose(lines[2][[0, -1]], [(50, 0), (0, 50)], atol=1e-9)
    np.testing.assert_allclose(nodes[13:16], [(25, 0), (12.5, 12.5), (0, 25)], atol=1e-9)
    np.testing.assert_allclose(nodes[16], (0, 0), atol=1e-9)


@pytest.mark.parametrize('degrees', [40.0, 45.0, 60.0, 75.0])
@pytest.mark.parametrize('mode', ['midpoint', 'seed'])
def test_corner_line_lies_where_the_mode_says(degrees, mode):
    landmarks = mlo_square(degrees)
    corner_line = pseudo_landmarks(landmarks, 'MLO', 26, corner_mode=mode)[22:25]
    normal = np.array([np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])
    whole = landmarks.pectoral_line[0] @ normal
    share = (whole - corner_line @ normal) / whole
    expected = 0.5 if mode == 'midpoint' else 1 / (2 * np.sin(np.deg2rad(degrees)))
    np.testing.assert_allclose(share, expected, atol=1e-9)


@pytest.mark.parametrize(
    'affine',
    [Affine.mirror(130), Affine.scaling(0.3), Affine.translation(-20, 45), Affine.mirror(99) @ Affine.scaling(2.5)],
    ids=['mirrored', 'scaled', 'cropped', 'mirrored and scaled'],
)
@pytest.mark.parametrize(('landmarks', 'view', 'count'), [(cc_square(), 'CC', 22), (mlo_square(), 'MLO', 26)])
def test_same_index_is_the_same_place(landmarks, view, count, affine):
    expected = affine.points(pseudo_landmarks(landmarks, view, count))
    np.testing.assert_allclose(pseudo_landmarks(landmarks.transformed(affine), view, count), expected, atol=1e-9)


def test_line_ends_lie_on_the_contour_of_a_round_breast():
    angle = np.linspace(-np.pi / 2, np.pi / 2, 400)
    contour = np.column_stack([80 * np.cos(angle), 100 + 100 * np.sin(angle)])
    landmarks = BreastLandmarks(contour=contour, nipple=(80, 100), pectoral_line=[[0, 0], [0, 200]])
    lines = pseudo_landmarks(landmarks, 'CC', 22)[1:].reshape(3, 7, 2)
    ends = lines[:2, [0, -1]]
    np.testing.assert_allclose((ends[..., 0] / 80) ** 2 + (ends[..., 1] / 100 - 1) ** 2, 1, atol=1e-3)


@pytest.mark.parametrize(
    'line',
    [[[-900, 0], [-900, 100]], [[100, 0], [100, 100]], [[0, 0], [100, 0]], [[300, 400], [301, 400]]],
    ids=['far behind', 'through the nipple', 'level', 'elsewhere'],
)
def test_odd_lines_still_give_finite_nodes(line):
    landmarks = BreastLandmarks(contour=SQUARE, nipple=(100, 40), pectoral_line=line)
    for view, count in (('CC', 22), ('MLO', 26)):
        for mode in ('midpoint', 'seed'):
            assert np.isfinite(pseudo_landmarks(landmarks, view, count, mode)).all()


def test_unknown_mode_view_and_broken_landmarks_are_refused():
    with pytest.raises(LandmarkError, match='corner_mode'):
        pseudo_landmarks(mlo_square(), 'MLO', 26, corner_mode='middle')
    with pytest.raises(LandmarkError, match="'CC' or 'MLO'"):
        pseudo_landmarks(mlo_square(), 'ML', 26)
    with pytest.raises(LandmarkError, match='finite'):
        pseudo_landmarks(BreastLandmarks(contour=SQUARE, nipple=(np.nan, 0), pectoral_line=[[0, 0], [0, 1]]), 'CC', 13)
