import numpy as np
import pytest

from mmmammo.anatomy import LandmarkError, detect_landmarks
from mmmammo.structures import Affine, MammoError

METHODS = ('robust', 'paper')


def distance_to_line(points, top, degrees):
    angle = np.deg2rad(degrees)
    return np.abs((np.asarray(points) - (top, 0)) @ (np.sin(angle), np.cos(angle)))


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('semi_axes', [(500, 450), (350, 500)], ids=['deep', 'tall'])
def test_nipple_of_a_half_ellipse_in_cc(make_breast, method, semi_axes):
    found = detect_landmarks(make_breast(semi_axes=semi_axes), 'L', 'CC', method)
    assert np.hypot(*(found.nipple - (semi_axes[0], 512))) < 2
    np.testing.assert_allclose(found.pectoral_line[:, 0], 0, atol=1)
    np.testing.assert_allclose(found.pectoral_line[:, 1], (512 - semi_axes[1], 512 + semi_axes[1]), atol=3)


@pytest.mark.parametrize('method', METHODS)
def test_straight_pectoral_edge_at_60_degrees(make_breast, method):
    found = detect_landmarks(make_breast(semi_axes=(700, 700), muscle_top=300), 'L', 'MLO', method)
    assert distance_to_line(found.pectoral_line, 300, 60).max() < 2
    assert 'fallback' not in found.found_by['pectoral_line']


@pytest.mark.parametrize('semi_axes', [(700, 400), (700, 480), (600, 500), (400, 460)])
def test_robust_nipple_of_a_half_ellipse_in_mlo(make_breast, semi_axes):
    found = detect_landmarks(make_breast(semi_axes=semi_axes, muscle_top=0.4 * semi_axes[0]), 'L', 'MLO')
    assert np.hypot(*(found.nipple - (semi_axes[0], 512))) < 2


@pytest.mark.parametrize(
    ('semi_axes', 'off'), [((700, 400), 7.7), ((700, 480), 213), ((600, 500), 14.8), ((400, 460), 7.7)]
)
def test_nipple_of_the_papers_recipe_in_mlo_is_off_by_what_the_docs_say(make_breast, semi_axes, off):
    """Its spline smooths the contour by some 8 px, and curvature finds the tip of that, or the fold below."""
    image = make_breast(semi_axes=semi_axes, muscle_top=0.4 * semi_axes[0])
    found = detect_landmarks(image, 'L', 'MLO', 'paper')
    assert np.hypot(*(found.nipple - (semi_axes[0], 512))) == pytest.approx(off, abs=1)


@pytest.mark.parametrize('degrees', [45, 60, 75])
def test_robust_line_in_texture(make_breast, degrees):
    image = make_breast(semi_axes=(500, 700), muscle_top=300, degrees=degrees, texture=0.05)
    found = detect_landmarks(image, 'L', 'MLO')
    assert distance_to_line(found.pectoral_line, 300, degrees).max() < 2
    assert found.part_confidence['pectoral_line'] > 0.7


def test_robust_nipple_is_the_protrusion_in_mlo(make_breast):
    image = make_breast(semi_axes=(500, 700), muscle_top=300, bump=(495, 640, 40))
    found = detect_landmarks(image, 'L', 'MLO')
    # The middle of the bump, pushed out along the normal of the ellipse.
    assert np.hypot(*(found.nipple - (535, 644))) < 6
    assert found.found_by['nipple'] == 'protrusion'


def test_no_muscle_gives_the_named_fallback(make_breast):
    found = detect_landmarks(make_breast(texture=0.05), 'L', 'MLO')
    assert found.found_by['pectoral_line'] == 'fallback_60deg'
    assert found.confidence == found.part_confidence['pectoral_line'] <= 0.1
    assert found.pectoral_edge is None
    run = found.pectoral_line[1] - found.pectoral_line[0]
    assert np.rad2deg(np.arctan2(run[1], -run[0])) == pytest.approx(60, abs=1e-6)


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('view', ['CC', 'MLO'])
@pytest.mark.parametrize('size', [(1024, 800), (1537, 1203)], ids=['as is', 'shrunk with a rest'])
def test_mirrored_image_gives_mirrored_landmarks(make_breast, method, view, size):
    image = make_breast(size=size, semi_axes=(700, 700), muscle_top=350, bump=(690, 600, 40), texture=0.03)
    left = detect_landmarks(image, 'L', view, method).transformed(Affine.mirror(size[1]))
    right = detect_landmarks(image[:, ::-1], 'R', view, method)
    for part in ('contour', 'nipple', 'pectoral_line'):
        np.testing.assert_allclose(getattr(left, part), getattr(right, part), atol=1e-9)
    assert left.part_confidence == right.part_confidence
    if method == 'robust' and view == 'MLO':
        np.testing.assert_allclose(left.pectoral_edge, right.pectoral_edge, atol=1e-9)


def test_scaled_image_gives_scaled_landmarks(make_breast):
    image = make_breast(semi_axes=(500, 700), muscle_top=300, bump=(495, 640, 40))
    small, large = detect_landmarks(image, 'L', 'MLO'), detect_landmarks(np.kron(image, np.ones((3, 3))), 'L', 'MLO')
    np.testing.assert_allclose(large.nipple, 3 * small.nipple, atol=6)
    np.testing.assert_allclose(large.pectoral_line, 3 * small.pectoral_line, atol=9)


@pytest.mark.parametrize('change', ['dim', 'offset', 'gamma', 'noise', 'padded', 'uint16'])
def test_grey_levels_and_padding_do_not_matter(make_breast, change):
    image = make_breast(semi_axes=(500, 700), muscle_top=300, bump=(495, 640, 40), texture=0.03)
    noise = np.random.default_rng(1).normal(0, 0.015, image.shape)
    changed = {
        'dim': image * 0.05,
        'offset': image + 0.2,
        'gamma': image**2,
        'noise': image + 0.05 + noise,
        'padded': np.pad(image, ((0, 200), (300, 400))),
        'uint16': np.round(image * 4095).astype(np.uint16),
    }[change]
    shift = (300, 0) if change == 'padded' else (0, 0)
    reference, found = detect_landmarks(image, 'L', 'MLO'), detect_landmarks(changed, 'L', 'MLO')
    assert np.hypot(*(found.nipple - reference.nipple - shift)) < 8
    np.testing.assert_allclose(found.pectoral_line - shift, reference.pectoral_line, atol=12)


@pytest.mark.parametrize(('view', 'confidence'), [('CC', 0.9), ('ML', 0.54), ('XCCL', 0.54)])
def test_other_projections_trust_the_chest_wall_edge_less(make_breast, view, confidence):
    found = detect_landmarks(make_breast(), 'L', view)
    assert found.found_by['pectoral_line'] == 'chest_wall_edge'
    assert found.part_confidence['pectoral_line'] == pytest.approx(confidence)


def test_breast_facing_the_other_way_is_not_trusted(make_breast):
    assert detect_landmarks(make_breast(), 'R', 'CC').part_confidence['contour'] < 0.3


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('value', [0.0, 0.3, np.nan])
def test_blank_image_is_refused(method, value):
    with pytest.raises(LandmarkError, match='breast region'):
        detect_landmarks(np.full((300, 200), value), 'L', 'MLO', method)


@pytest.mark.parametrize(
    ('arguments', 'field'),
    [
        (('U', 'CC'), 'laterality'),
        (('left-ish', 'CC'), 'laterality'),
        (('L', 'SPECIMEN'), 'view'),
        (('L', 'front'), 'view'),
        (('L', 'CC', 'best'), 'method'),
    ],
)
def test_impossible_requests_are_refused_by_name(make_breast, arguments, field):
    with pytest.raises(LandmarkError) as caught:
        detect_landmarks(make_breast(), *arguments)
    assert caught.value.field == field


@pytest.mark.parametrize('shape', [(10, 10, 3), (10,), (), (0, 4)])
def test_only_grey_images_are_taken(shape):
    with pytest.raises(MammoError, match='grey image'):
        detect_landmarks(np.zeros(shape), 'R', 'CC')
