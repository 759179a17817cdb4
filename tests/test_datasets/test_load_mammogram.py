"""From a prepared file to an array."""

import cv2
import numpy as np
import pytest
from dotted_images import SIZE

from mmmammo.datasets.transforms import LoadMammogram
from mmmammo.io import write_png8, write_png16
from mmmammo.structures import MammoError

RAMP = np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(SIZE)


@pytest.fixture()
def record(tmp_path):
    write_png16(tmp_path / 'ramp.png', RAMP)
    return {'img_path': str(tmp_path / 'ramp.png'), 'height': SIZE[0], 'width': SIZE[1]}


def test_sixteen_bits_arrive(record):
    results = LoadMammogram()(record)
    image = results['img']
    assert image.dtype == np.float32 and image.shape == results['img_shape'] == results['ori_shape'] == SIZE
    assert len(np.unique(image)) > 15000
    assert (image.min(), image.max()) == (0, 1)
    assert np.abs(image - RAMP).max() < 1 / 65535


def test_mirrored_record(record):
    plain = LoadMammogram()(dict(record))['img']
    mirrored = LoadMammogram()(record | {'mirrored': True})['img']
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
    assert mirrored.flags['C_CONTIGUOUS']


def test_a_set_of_eight_bits_is_read_over_the_full_scale(record):
    write_png8(record['img_path'], RAMP)
    image = LoadMammogram().transform(record)['img']
    assert image.dtype == np.float32 and np.abs(image - RAMP).max() <= 0.5 / 255 + 1e-6


def test_colours_are_refused(record):
    cv2.imwrite(record['img_path'], np.dstack([(RAMP * 255).astype(np.uint8)] * 3))
    with pytest.raises(MammoError, match='grey PNG of a prepared set'):
        LoadMammogram()(record)


def test_missing_file_is_named(record):
    with pytest.raises(MammoError, match=r'gone\.png'):
        LoadMammogram()(record | {'img_path': 'gone.png'})


def test_size_must_agree_with_the_index(record):
    with pytest.raises(MammoError, match='prepare the set again'):
        LoadMammogram()(record | {'width': SIZE[1] + 1})


def test_pixels_may_be_kept_decoded(tmp_path):
    path = tmp_path / 'images' / 'exam' / 'L_CC.png'
    path.parent.mkdir(parents=True)
    write_png16(path, RAMP)
    record = {'img_path': str(path), 'height': SIZE[0], 'width': SIZE[1]}
    plain = LoadMammogram()(dict(record))['img']
    for _ in range(2):
        np.testing.assert_array_equal(LoadMammogram(keep_decoded=True)(dict(record))['img'], plain)
    assert (tmp_path / 'decoded' / 'exam' / 'L_CC.npy').is_file()


def test_an_image_may_be_stretched_to_the_full_range(record):
    write_png16(record['img_path'], 0.2 + 0.5 * RAMP)
    image = LoadMammogram(full_range=True)(dict(record))['img']
    assert image.dtype == np.float32 and (image.min(), image.max()) == (0, 1)
    assert np.abs(image - RAMP).max() < 4 / 65535  # two roundings to 16 bits, doubled by the stretch


def test_an_image_of_one_value_has_no_range(record):
    write_png16(record['img_path'], np.full(SIZE, 0.7))
    assert not LoadMammogram(full_range=True)(dict(record))['img'].any()
