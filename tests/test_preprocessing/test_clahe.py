"""CLAHE against OpenCV's on 8 bits, and the properties OpenCV's 16-bit version lacks."""

import cv2
import numpy as np
import pytest

from mmmammo.preprocessing import clahe_fuse
from mmmammo.preprocessing.clahe import clahe
from mmmammo.structures import MammoError


@pytest.fixture(scope='module')
def texture():
    """Smooth random blobs, dark on one side, as a breast is."""
    noise = np.random.default_rng(0).normal(size=(512, 384)).astype(np.float32)
    blobs = cv2.GaussianBlur(noise, (0, 0), 9)
    blobs = (blobs - blobs.min()) / np.ptp(blobs)
    return blobs * np.linspace(0.2, 1, 384, dtype=np.float32)


@pytest.mark.parametrize('limit', [1.0, 2.0, 4.0])
def test_agrees_with_opencv_on_eight_bits(texture, limit):
    stored = np.rint(texture * 255).astype('u1')
    reference = cv2.createCLAHE(limit, (8, 8)).apply(stored) / 255
    np.testing.assert_allclose(clahe(stored / 255, limit, 8), reference, atol=0.03)


def test_one_tile_without_effective_limit_is_histogram_equalisation():
    image = np.repeat([0, 51, 102, 255], [8, 4, 2, 2]).reshape(4, 4) / 255
    # Cumulated counts 8, 12, 14, 16; black, the first 8, stays black: (n - 8) / 8.
    expected = np.repeat([0, 0.5, 0.75, 1], [8, 4, 2, 2]).reshape(4, 4)
    np.testing.assert_allclose(clahe(image, 1000, 1), expected, atol=1e-6)


def test_limit_one_leaves_the_image_as_it_is(texture):
    flat = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    np.testing.assert_allclose(clahe(flat, 1e-6, 4), flat, atol=1e-4)


def test_values_between_two_bins_stay_apart():
    image = np.linspace(0, 1, 65536).reshape(256, 256)
    assert len(np.unique(clahe(image, 2, 1))) > 60000


def test_strength_does_not_depend_on_the_resolution(texture):
    """A quarter of the pixels is the same picture; OpenCV changes it more than twice as much on 16 bits."""
    small = cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    strength = [np.abs(clahe(image, 2, 8) - image).mean() for image in (texture, small)]
    assert strength[0] == pytest.approx(strength[1], rel=0.05)


def test_mirror(texture):
    mirrored = clahe(texture[:, ::-1], 2, 8)
    np.testing.assert_allclose(mirrored[:, ::-1], clahe(texture, 2, 8), atol=1e-5)


def test_background_stays_zero_and_constant_images_constant(texture):
    image = texture.copy()
    image[:, :100] = 0
    assert (clahe(image, 2, 8)[:, :100] == 0).all()
    assert np.ptp(clahe(np.full((64, 64), 0.4), 2, 8)) < 1e-6


def test_grid_that_does_not_divide_the_image(texture):
    out = clahe(texture[:509, :383], 2, (7, 5))
    assert out.shape == (509, 383)
    assert 0 <= out.min() <= out.max() <= 1


def test_fuse_stacks_original_and_two_scales(texture):
    fused = clahe_fuse(texture, clip_limits=[2, 3], tile_grids=[(8, 8), 4])
    assert fused.shape == (*texture.shape, 3)
    assert fused.dtype == np.float32
    for channel, expected in enumerate((texture, clahe(texture, 2, 8), clahe(texture, 3, 4))):
        np.testing.assert_array_equal(fused[..., channel], expected)


@pytest.mark.parametrize(
    ('changes', 'field'),
    [
        ({'clip_limits': [2]}, 'scales'),
        ({'clip_limits': [2, 0]}, 'clip limit'),
        ({'tile_grids': [8, 0]}, 'tile grid'),
        ({'tile_grids': [8, (4, 4, 4)]}, 'tile grid'),
        ({'tile_grids': [8, 1000]}, 'tile grid'),
        ({'image': np.zeros((4, 4, 3))}, 'shape'),
        ({'image': np.full((64, 64), 1.5)}, 'values'),
        ({'image': np.full((64, 64), np.nan)}, 'values'),
    ],
)
def test_bad_arguments(texture, changes, field):
    with pytest.raises(MammoError) as caught:
        clahe_fuse(**{'image': texture, 'clip_limits': (2, 2), 'tile_grids': (8, 16)} | changes)
    assert caught.value.field == field
