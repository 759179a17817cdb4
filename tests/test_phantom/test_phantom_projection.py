import numpy as np
import pytest

from mmmammo.phantom import PhantomConfig
from mmmammo.phantom.breast import sample_woman
from mmmammo.phantom.projection import make_projection
from mmmammo.structures import Laterality, View

CONFIG = PhantomConfig(height=832)  # 0.28 mm


def projections(seed):
    woman = sample_woman(CONFIG, np.random.default_rng(seed))
    return [make_projection(woman.breast(side), view, CONFIG) for side in 'LR' for view in (View.CC, View.MLO)]


def make_pair(seed=0, side=Laterality.LEFT):
    breast = sample_woman(CONFIG, np.random.default_rng(seed)).breast(side)
    return make_projection(breast, View.CC, CONFIG), make_projection(breast, View.MLO, CONFIG)


def test_cc_merges_the_vertical_axis_and_keeps_depth():
    cc, _ = make_pair()
    low, high = cc.project([[40.0, 10.0, -20.0], [40.0, 10.0, 30.0]])
    np.testing.assert_allclose(low, high)
    deeper = cc.project([50.0, 10.0, 0.0])
    np.testing.assert_allclose((deeper - low) * 0.28, [10.0, 0.0], atol=1e-9)


def test_lateral_is_up_in_cc_and_upper_outer_is_up_in_mlo():
    cc, mlo = make_pair()
    assert cc.project([40.0, 20.0, 0.0])[1] < cc.project([40.0, -20.0, 0.0])[1]
    assert mlo.project([40.0, 20.0, 20.0])[1] < mlo.project([40.0, -20.0, -20.0])[1]


def test_mlo_merges_the_points_of_one_oblique_ray():
    _, mlo = make_pair()
    ray = np.array([0.0, -np.sin(mlo.angle), np.cos(mlo.angle)])
    np.testing.assert_allclose(mlo.project([30.0, 5.0, 5.0] + 17 * ray), mlo.project([30.0, 5.0, 5.0]))


@pytest.mark.parametrize('side', [Laterality.LEFT, Laterality.RIGHT])
@pytest.mark.parametrize('seed', range(5))
def test_distance_from_the_nipple_across_the_pectoral_line_agrees_between_views(side, seed):
    cc, mlo = make_pair(seed, side)
    points = np.random.default_rng(seed).uniform([10, -40, -40], [70, 40, 40], (20, 3))
    depths = []
    for projection in (cc, mlo):
        landmarks = projection.landmarks()
        along = landmarks.pectoral_line[1] - landmarks.pectoral_line[0]
        normal = np.array([along[1], -along[0]]) / np.linalg.norm(along)
        depths.append((projection.project(points) - landmarks.nipple) @ normal * projection.spacing_mm)
    np.testing.assert_allclose(depths[0], depths[1], atol=1e-6)


def test_a_right_breast_is_the_mirror_of_an_equal_left_one():
    from dataclasses import replace

    for left in make_pair():
        right = replace(left, breast=replace(left.breast, laterality=Laterality.RIGHT))
        points = np.random.default_rng(0).uniform(-40, 60, (10, 3))
        expected = left.project(points)
        expected[:, 0] = left.shape[1] - expected[:, 0]
        np.testing.assert_allclose(right.project(points), expected)
        assert right.landmarks().nipple[0] == pytest.approx(left.shape[1] - left.landmarks().nipple[0])


@pytest.mark.parametrize('seed', range(20))
def test_the_whole_breast_is_on_the_detector(seed):
    for projection in projections(seed):
        height, width = projection.shape
        contour = projection.contour()
        chest = 0 if projection.breast.laterality is Laterality.LEFT else width
        away = np.abs(contour[:, 0] - chest)
        assert away.min() < 1e-6 and away.max() < width - 5
        assert contour[:, 1].max() < height - 2
        assert contour[:, 1].min() >= 0 if projection.view is View.MLO else contour[:, 1].min() > 2


@pytest.mark.parametrize('seed', range(5))
def test_nipple_lies_on_the_contour_and_the_line_keeps_its_order(seed):
    for projection in projections(seed):
        landmarks = projection.landmarks()
        assert np.linalg.norm(landmarks.contour - landmarks.nipple, axis=1).min() < 0.5
        assert landmarks.pectoral_line[0, 1] < landmarks.pectoral_line[1, 1]
        assert landmarks.confidence == 1.0


def test_angles_and_thickness_are_clinical():
    women = [sample_woman(CONFIG, np.random.default_rng(i)) for i in range(50)]
    for breast in (breast for woman in women for breast in (woman.left, woman.right)):
        assert 40 <= np.rad2deg(breast.mlo_angle) <= 55
        assert 40 <= breast.thickness <= 75
