"""The step that cuts a view for the NYU model."""

import warnings

import numpy as np
import pytest

from mmmammo.datasets.transforms import LoadPatchHeatmaps, NYUWindow
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.io import write_png16

SIZES = {'CC': (60, 40), 'MLO': (70, 36)}


def view(name='CC', shape=(120, 90), **further):
    """A right-facing half ellipse with noise in it and one bright pixel."""
    height, width = shape
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.random.default_rng(0).random(shape).astype(np.float32) * 0.2 + 0.1
    image[(x / (0.8 * width)) ** 2 + ((y - height / 2) / (0.45 * height)) ** 2 > 1] = 0
    image[height // 2, width // 2] = 1
    return {'img': image, 'view': name, 'img_id': 7, 'img_path': 'a.png', **further}


def step(**kwargs):
    return NYUWindow(sizes=SIZES, iterations=4, buffer=3, **kwargs)


@pytest.mark.parametrize('name', ['CC', 'MLO'])
def test_a_window_is_standardised_and_has_its_size(name):
    out = step()(view(name))
    assert out['img'].shape == out['img_shape'] == SIZES[name] and out['img'].dtype == np.float32
    assert abs(out['img'].mean()) < 1e-4 and out['img'].std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize('noise', [0, 6])
def test_points_come_back_to_where_they_were(noise):
    results = step(position_noise=noise, size_noise=noise, seed=3)(view())
    y, x = np.unravel_index(results['img'].argmax(), results['img'].shape)
    back = current_affine(results).inverse().points([[x + 0.5, y + 0.5]])[0]
    np.testing.assert_allclose(back, [45.5, 60.5], atol=0.5 if not noise else 1.0)
    points = np.random.default_rng(0).uniform(0, 40, (50, 2))
    there = current_affine(results).inverse().points(points)
    np.testing.assert_allclose(current_affine(results).points(there), points, atol=0.5)


def test_crops_have_noise_of_their_own_and_the_same_in_every_run():
    ten = step(position_noise=6, size_noise=6, crops=10, seed=0)
    first, again = ten(view())['img'], ten(view())['img']
    assert first.shape == (10, 1, 60, 40)
    np.testing.assert_array_equal(first, again)
    assert len({crop.tobytes() for crop in first}) == 10
    assert not np.array_equal(first, ten(view(img_id=8))['img'])
    assert 'homography_matrix' not in ten(view())


def test_training_noise_follows_the_global_seed():
    noisy = step(position_noise=6)
    np.random.seed(0)
    first, second = noisy(view())['img'], noisy(view())['img']
    np.random.seed(0)
    np.testing.assert_array_equal(noisy(view())['img'], first)
    assert not np.array_equal(first, second)


def test_heatmaps_are_cut_alike_and_stay_as_they_are():
    heatmaps = np.stack([view()['img'], view()['img'] * 0.5])
    out = step()(view(heatmaps=heatmaps))['img']
    assert out.shape == (60, 40, 3)
    np.testing.assert_allclose(out[..., 1], 2 * out[..., 2], rtol=1e-6)
    assert out[..., 1].max() == 1
    y, x = np.unravel_index(out[..., 0].argmax(), out.shape[:2])
    assert out[y, x, 1] == 1
    crops = step(crops=2, position_noise=2, seed=0)(view(heatmaps=heatmaps))['img']
    assert crops.shape == (2, 3, 60, 40)


def test_an_image_smaller_than_the_window_is_padded():
    out = step()(view(shape=(40, 30)))['img']
    assert out.shape == (60, 40) and np.isfinite(out).all()
    assert (out == out[0, -1]).mean() > 0.5  # black, after standardising


def test_a_grey_background_is_blackened_if_asked_for():
    results = view(shape=(300, 220))
    expected = step()(dict(results))['img']
    grey = {**results, 'img': np.where(results['img'] == 0, np.float32(0.02), results['img'])}
    found = step(breast='segmented')(grey)['img']
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(('spacing', 'warned'), [(0.1, True), (0.05, True), (0.078, False), (None, False)])
def test_published_windows_over_pixels_of_another_size_are_told(spacing, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        NYUWindow(iterations=4, buffer=3)(view(pixel_spacing_mm=spacing))
        step()(view(pixel_spacing_mm=spacing))  # a twin has windows of its own
    assert [f'{spacing:g} mm' in str(one.message) for one in caught] == [True] * warned


def test_bad_input_is_told(tmp_path):
    with pytest.raises(ValueError, match=r'a\.png: view: found ML;'):
        step()(view('ML'))
    with pytest.raises(ValueError, match=r'a\.png: mirrored: found pixels that face left'):
        step()(view() | {'mirrored': True})
    with pytest.raises(ValueError, match=r'a\.png: image: found nothing that survives 4 erosions'):
        step()(view() | {'img': np.zeros((50, 50), np.float32)})
    for arguments in ({'breast': 'otsu'}, {'crops': -1}, {'size_noise': 36}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            step(**arguments)


def test_missing_heatmaps_name_the_command(tmp_path):
    paths = [str(tmp_path / f'a_{name}.png') for name in ('benign', 'malignant')]
    results = view(heatmap_paths=paths)
    with pytest.raises(ValueError, match=r'a_benign\.png: heatmap: found no such file.*tools/patch_heatmaps\.py'):
        LoadPatchHeatmaps()(results)
    for number, path in enumerate(paths):
        write_png16(tmp_path / path, np.full((120, 90), number / 2, np.float32))
    np.testing.assert_allclose(LoadPatchHeatmaps()(results)['heatmaps'].mean(axis=(1, 2)), [0, 0.5], atol=1e-4)
    with pytest.raises(ValueError, match=r'size \(h, w\)'):
        LoadPatchHeatmaps()(results | {'img': np.zeros((5, 5))})
