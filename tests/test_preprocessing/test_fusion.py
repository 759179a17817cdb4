"""Three channels of a view: whole, in parts, mirrored; Otsu's box; what cannot be."""

import cv2
import numpy as np
import pytest
from skimage.measure import label, regionprops

from mmmammo.io import read_png16
from mmmammo.preprocessing import clahe_fuse
from mmmammo.preprocessing.fusion import Fusion, otsu_box
from mmmammo.structures import MammoError

SIZE = (320, 256)


@pytest.fixture(scope='module')
def view():
    """A textured half ellipse on black, its chest wall on the left."""
    height, width = SIZE
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x / 200) ** 2 + ((y - height / 2) / 140) ** 2 < 1
    noise = cv2.GaussianBlur(np.random.default_rng(0).random(SIZE), (0, 0), 5)
    noise = (noise - noise.min()) / np.ptp(noise)
    return np.where(inside, 0.2 + 0.6 * noise, 0).astype(np.float32)


@pytest.mark.parametrize('seed', range(4))
def test_otsu_is_the_argmax_of_the_variance_between_the_classes(seed):
    rng = np.random.default_rng(seed)
    levels = np.clip(rng.normal(40, 15, (90, 70)), 0, 255)
    levels[20:70, 10:50] = np.clip(rng.normal(160, 25, (50, 40)), 0, 255)
    levels = np.rint(levels).astype(np.uint8)
    flat, between = levels.ravel().astype(float), np.zeros(256)
    for t in range(255):
        dark, bright = flat[flat <= t], flat[flat > t]
        if len(dark) and len(bright):
            between[t] = len(dark) * len(bright) * (dark.mean() - bright.mean()) ** 2
    regions = regionprops(label(levels > between.argmax(), connectivity=2))
    y1, x1, y2, x2 = max(regions, key=lambda region: region.area).bbox
    assert otsu_box(levels / 255) == (x1, y1, x2, y2)


def test_otsu_box_takes_the_largest_region():
    image = np.zeros((40, 30))
    image[5:20, 3:12] = 0.8
    image[30:33, 20:25] = 1.0  # a marker
    assert otsu_box(image) == (3, 5, 12, 20)


@pytest.mark.parametrize('value', [0.0, 0.4, 1.0])
def test_a_constant_image_is_kept_whole(value):
    assert otsu_box(np.full((40, 30), value)) == (0, 0, 30, 40)
    fused = Fusion(tile_grids=(4, 8), crop='otsu').of(np.full((40, 30), value))
    assert fused.frame == (0, 0, 30, 40) and fused.breast.all()
    channels = fused.apply(np.full((40, 30), value, dtype=np.float32))
    np.testing.assert_allclose(np.ptp(channels, axis=(0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(channels, value, atol=0.01)  # a bin of 256


def test_of_the_scale_of_the_file_it_is_clahe_fuse(view):
    np.testing.assert_array_equal(Fusion(scale='file').of(view).apply(view), clahe_fuse(view))


@pytest.mark.parametrize('scale', ['breast', 'file'])
@pytest.mark.parametrize('crop', [None, 'otsu'])
def test_any_part_is_what_the_whole_has_there(view, scale, crop):
    fused = Fusion(scale=scale, crop=crop).of(view)
    whole = fused.apply(view)
    rng = np.random.default_rng(1)
    for _ in range(30):
        y1, y2 = np.sort(rng.choice(SIZE[0] + 1, 2, replace=False))
        x1, x2 = np.sort(rng.choice(SIZE[1] + 1, 2, replace=False))
        np.testing.assert_array_equal(fused.apply(view[y1:y2, x1:x2], y1, x1), whole[y1:y2, x1:x2])


def test_parts_of_a_real_view(real_data):
    image = read_png16(real_data / 'exam_0' / '0_R-CC.png')
    fused = Fusion(crop='otsu').of(image)
    x1, y1, x2, y2 = fused.frame
    assert (x2 - x1) * (y2 - y1) > 0.3 * image.size
    part = np.s_[y1 + 311 : y1 + 700, x1 + 97 : x1 + 400]
    np.testing.assert_array_equal(fused.apply(image[part], y1 + 311, x1 + 97), fused.apply(image)[part])


@pytest.mark.parametrize('crop', [None, 'otsu'])
def test_mirror(view, crop):
    fusion = Fusion(crop=crop)
    plain, mirrored = fusion.of(view), fusion.of(view[:, ::-1])
    x1, y1, x2, y2 = plain.frame
    assert mirrored.frame == (SIZE[1] - x2, y1, SIZE[1] - x1, y2)
    np.testing.assert_allclose(mirrored.apply(view[:, ::-1])[:, ::-1], plain.apply(view), atol=1e-5)


def test_the_crop_comes_after_the_equalisation(view):
    cropped, whole = (Fusion(crop=crop).of(view) for crop in ('otsu', None))
    x1, y1, x2, y2 = cropped.frame
    assert (x2 - x1) * (y2 - y1) < view.size
    part = cropped.apply(view[y1:y2, x1:x2], y1, x1)
    np.testing.assert_array_equal(part, whole.apply(view)[y1:y2, x1:x2])


def test_the_breast_reaches_from_0_to_1(view):
    dim = 0.3 + 0.2 * view  # background of 0.3
    fused = Fusion().of(dim)
    inside = dim[fused.breast]
    assert (fused.low, fused.high) == (inside.min(), inside.max())
    expected = np.clip((dim - fused.low) / (fused.high - fused.low), 0, 1)
    np.testing.assert_allclose(fused.apply(dim)[..., 0], expected, atol=1e-6)


def test_breast_share_and_points(view):
    fused = Fusion().of(view)
    assert fused.breast_share((20, 140, 60, 180)) == 1
    assert fused.breast_share((210, 0, 256, 60)) == 0
    assert fused.breast_share((0, 0, 256, 320)) == pytest.approx((view > 0).mean(), abs=0.02)
    rng = np.random.default_rng(0)
    points = np.array([fused.breast_point(rng) for _ in range(200)])
    rows, columns = points[:, 1].astype(int), points[:, 0].astype(int)
    assert fused.breast[rows, columns].all()
    assert np.ptp(points, axis=0).min() > 100  # from everywhere in it


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'scale': 'body'}, "scale: found 'body'"),
        ({'crop': 'tight'}, "crop: found 'tight'"),
        ({'clip_limits': (2,)}, r'clip_limits: found \(2,\)'),
        ({'tile_grids': (8, 8, 8)}, 'tile_grids'),
    ],
)
def test_settings_that_make_no_sense(changes, words):
    with pytest.raises(MammoError, match=words):
        Fusion(**changes)


def test_an_image_smaller_than_the_grid_is_refused():
    with pytest.raises(MammoError, match='tile grid'):
        Fusion().of(np.zeros((20, 300)))
