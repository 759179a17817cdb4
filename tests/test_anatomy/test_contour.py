import numpy as np
import pytest

from mmmammo.anatomy.contour import curvature, paper_contour, resample_closed, trace_mask
from mmmammo.anatomy.errors import LandmarkError


def ellipse(a, b, count=2000):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([a * np.cos(angle), b * np.sin(angle)])


@pytest.mark.parametrize('radius', [5.0, 80.0, 400.0])
def test_curvature_of_a_circle_is_one_over_its_radius(radius):
    np.testing.assert_allclose(curvature(ellipse(radius, radius)), 1 / radius, rtol=1e-4)


def test_curvature_at_the_tip_of_an_ellipse():
    assert curvature(ellipse(50.0, 30.0))[0] == pytest.approx(50.0 / 30.0**2, rel=1e-4)


def test_curvature_changes_sign_with_the_direction_of_travel():
    points = ellipse(50.0, 30.0)
    np.testing.assert_allclose(curvature(points[::-1]), -curvature(points)[::-1], rtol=1e-9)


def test_curvature_of_a_repeated_point_is_zero():
    assert (curvature(np.ones((8, 2))) == 0).all()


def test_traced_rectangle_has_the_corners_of_its_pixels():
    mask = np.zeros((60, 80), dtype=bool)
    mask[10:50, 0:30] = True
    contour = trace_mask(mask, 400)
    np.testing.assert_allclose(contour.min(axis=0), (0, 10), atol=0.3)
    np.testing.assert_allclose(contour.max(axis=0), (30, 50), atol=0.3)


def test_resampled_points_are_equally_spaced():
    points = resample_closed(np.array([[0.0, 0], [8, 0], [8, 4], [0, 4]]), 24)
    steps = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    np.testing.assert_allclose(steps, 1.0, rtol=1e-9)


@pytest.mark.parametrize(('view', 'tolerance'), [('CC', 1.5), ('MLO', 12.0)])
def test_paper_contour_follows_an_ellipse(make_breast, view, tolerance):
    contour = paper_contour(make_breast(), view)
    skin = contour[contour[:, 0] > 60]
    radius = np.hypot(skin[:, 0] / 500, (skin[:, 1] - 512) / 450)
    assert np.abs(radius - 1).max() * 450 < tolerance


def test_paper_contour_lies_at_otsus_threshold_less_ten_grey_levels():
    """Of a cone of grey levels 255 (1 - r / R) the radius of the outline tells the threshold: 0.6 px per level."""
    radius = 150.0
    y, x = np.mgrid[:400, :400] + 0.5 - 200
    levels = np.rint(255 * np.clip(1 - np.hypot(x, y) / radius, 0, None)).astype(int)
    levels[200, 200] = 255  # no pixel has its centre at the tip
    between = []
    for t in range(255):
        dark, bright = levels[levels <= t], levels[levels > t]
        between.append(dark.size * bright.size * (dark.mean() - bright.mean()) ** 2)
    threshold = np.argmax(between) + 0.5 - 10
    outline = paper_contour(levels.astype(np.float32), 'CC') - 200
    assert np.hypot(*outline.T).mean() == pytest.approx(radius * (1 - threshold / 255), abs=0.25)


def test_paper_contour_smooths_mlo_more_than_cc(make_breast):
    image = make_breast(texture=0.05, bump=(500, 512, 30))
    rough, smooth = (np.abs(curvature(paper_contour(image, view))).max() for view in ('CC', 'MLO'))
    assert smooth < rough / 2


def test_paper_contour_of_a_blank_image_is_refused():
    with pytest.raises(LandmarkError, match=r'breast region.*none'):
        paper_contour(np.zeros((100, 100), dtype=np.float32), 'CC')
