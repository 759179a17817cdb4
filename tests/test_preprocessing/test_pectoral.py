import numpy as np
import pytest

from mmmammo.preprocessing import remove_pectoral
from mmmammo.structures import Affine, BreastLandmarks, MammoError

CONTOUR = np.array([[0.0, 0], [60, 0], [60, 100], [0, 100]])


def landmarks(line, nipple=(60, 70), edge=None):
    return BreastLandmarks(contour=CONTOUR, nipple=nipple, pectoral_line=line, pectoral_edge=edge)


def test_exactly_the_triangle_is_blanked():
    image = np.ones((100, 60), dtype=np.float32)
    cleared = remove_pectoral(image, landmarks([[30, 0], [0, 30]]))
    y, x = np.mgrid[:100, :60] + 0.5
    np.testing.assert_array_equal(cleared, np.where(x + y < 30, 0, 1))
    assert cleared.dtype == np.float32 and image.all(), 'the input is left alone'


def test_line_is_continued_to_the_edges():
    short, whole = ([[20, 10], [15, 15]], [[30, 0], [0, 30]])
    image = np.ones((100, 60))
    np.testing.assert_array_equal(remove_pectoral(image, landmarks(short)), remove_pectoral(image, landmarks(whole)))


def test_cut_follows_the_edge_and_continues_it():
    # Upright at x = 30.2 down to y = 40, then 45 degrees; seen between y = 10 and y = 60 only.
    edge = [[30.2, y] for y in range(10, 40, 2)] + [[30.2 - t, 40 + t] for t in range(0, 21, 2)]
    cleared = remove_pectoral(np.ones((100, 60)), landmarks([[32, 10], [10, 60]], nipple=(60, 90), edge=edge))
    y, x = np.mgrid[:100, :60] + 0.5
    np.testing.assert_array_equal(cleared, np.where(x < np.minimum(30.2, 70.2 - y), 0, 1))


@pytest.mark.parametrize('edge', [None, [[31, 0], [30, 20], [18, 35], [0, 47]]])
def test_mirrored_breast(edge):
    image = np.random.default_rng(0).random((100, 60))
    found = landmarks([[31, 0], [0, 47]], edge=edge)
    mirrored = remove_pectoral(image[:, ::-1], found.transformed(Affine.mirror(60)))
    np.testing.assert_array_equal(mirrored[:, ::-1], remove_pectoral(image, found))


def test_gland_below_the_nipple_stays():
    cleared = remove_pectoral(np.ones((100, 60)), landmarks([[30, 0], [10, 100]], nipple=(60, 50)))
    assert not cleared[:62, 0].any() and cleared[62:].all()


def test_chest_wall_edge_of_a_cc_view_blanks_nothing():
    assert remove_pectoral(np.ones((100, 60)), landmarks([[0, 0], [0, 100]])).all()


def test_fill_value():
    cleared = remove_pectoral(np.zeros((100, 60), dtype=np.uint8), landmarks([[30, 0], [0, 30]]), fill=114)
    assert cleared[0, 0] == 114 and cleared.dtype == np.uint8


def test_three_channels_are_refused():
    with pytest.raises(MammoError, match='one channel'):
        remove_pectoral(np.ones((4, 4, 3)), landmarks([[3, 0], [0, 3]]))


@pytest.mark.parametrize('line', [[[3, 3], [3, 3]], [[np.nan, 0], [0, 3]]])
def test_line_without_direction_is_refused(line):
    with pytest.raises(MammoError, match='pectoral_line'):
        remove_pectoral(np.ones((4, 4)), landmarks(line))
