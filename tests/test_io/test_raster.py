"""Grey raster images, and the 16-bit PNG of prepared sets."""

import cv2
import numpy as np
import pytest

from mmmammo.io import (
    CorruptFile,
    UnsupportedPixelData,
    as_read,
    read_mammogram,
    read_meta,
    read_png16,
    write_png8,
    write_png16,
)
from mmmammo.io.raster import significant_bits
from mmmammo.structures import MammoError


def write(path, pixels):
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.mark.parametrize(
    ('largest', 'bits'),
    [
        (0, 8),
        (255, 8),
        (256, 10),
        (1023, 10),
        (1024, 12),
        (4095, 12),
        (4096, 14),
        (16383, 14),
        (16384, 16),
        (65535, 16),
    ],
)
def test_significant_bits(largest, bits):
    assert significant_bits(largest) == bits


@pytest.mark.parametrize('extension', ['.png', '.pgm', '.tif'])
def test_twelve_bits_in_sixteen(tmp_path, extension):
    stored = np.array([[0, 819], [1638, 4095]], 'u2')
    mammogram = read_mammogram(write(tmp_path / f'0_R-MLO{extension}', stored))
    np.testing.assert_allclose(mammogram.pixels, [[0, 0.2], [0.4, 1]], atol=1e-6)
    assert (mammogram.meta.laterality, mammogram.meta.view, mammogram.meta.bits_stored) == ('R', 'MLO', 12)
    assert mammogram.pixels.dtype == np.float32


def test_eight_bits(tmp_path):
    mammogram = read_mammogram(write(tmp_path / 'scan.png', np.array([[0, 51], [102, 255]], 'u1')))
    np.testing.assert_allclose(mammogram.pixels, [[0, 0.2], [0.4, 1]], atol=1e-6)
    assert (mammogram.meta.laterality, mammogram.meta.view, mammogram.meta.bits_stored) == ('U', 'UNKNOWN', 8)


def test_the_format_is_told_from_the_content(tmp_path):
    path = write(tmp_path / 'image.png', np.array([[0, 255]], 'u1')).rename(tmp_path / 'LCC.dcm')
    assert read_mammogram(path).meta.attributes == {'file_format': 'png'}
    assert read_meta(path).laterality == 'L'
    assert read_meta(path).bits_stored is None


@pytest.mark.parametrize('channels', [3, 4])
def test_equal_channels_are_grey(tmp_path, channels):
    grey = np.array([[0, 1000], [2000, 4095]], 'u2')
    image = np.dstack([grey] * 3 + [np.full_like(grey, 65535)] * (channels - 3))
    np.testing.assert_allclose(read_mammogram(write(tmp_path / 'a.png', image)).pixels, grey / 4095, atol=1e-6)


def test_colour_is_refused(tmp_path):
    image = np.zeros((4, 4, 3), 'u1')
    image[0, 0] = (1, 2, 3)
    with pytest.raises(UnsupportedPixelData, match='a colour image'):
        read_mammogram(write(tmp_path / 'a.png', image))


def test_float_pixels_are_refused(tmp_path):
    with pytest.raises(UnsupportedPixelData, match='float32'):
        read_mammogram(write(tmp_path / 'a.tif', np.ones((4, 4), 'f4')))


@pytest.mark.parametrize('extension', ['.png', '.pgm', '.tif', '.jpg'])
def test_truncated_images_are_corrupt(tmp_path, extension):
    stored = np.random.default_rng(0).integers(0, 256, (64, 64)).astype('u1')
    path = write(tmp_path / f'a{extension}', stored)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorruptFile, match='cannot be decoded'):
        read_mammogram(path)


def test_one_value_everywhere_is_corrupt(tmp_path):
    with pytest.raises(CorruptFile, match='one value everywhere: 9'):
        read_mammogram(write(tmp_path / 'a.png', np.full((4, 4), 9, 'u2')))


def test_png16_keeps_sixteen_bits(tmp_path):
    stored = np.arange(65536, dtype='u2').reshape(256, 256)
    write_png16(tmp_path / 'a.png', stored / 65535)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_UNCHANGED), stored)
    pixels = read_png16(tmp_path / 'a.png')
    assert pixels.dtype == np.float32
    assert (pixels.min(), pixels.max()) == (0, 1)
    write_png16(tmp_path / 'b.png', pixels)
    assert (tmp_path / 'b.png').read_bytes() == (tmp_path / 'a.png').read_bytes()


def test_png8_rounds_to_eight_bits_over_the_full_scale(tmp_path):
    pixels = np.linspace(0, 1, 1000).reshape(10, 100)
    write_png8(tmp_path / 'a.png', pixels)
    stored = cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, np.floor(pixels.astype('f4') * np.float32(255) + np.float32(0.5)))
    assert stored.dtype == np.uint8 and np.abs(read_png16(tmp_path / 'a.png') - pixels).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    'pixels',
    [np.ones((2, 2, 3)), np.full((2, 2), 1.01), np.full((2, 2), np.nan), np.ones((2, 2), 'u2'), np.ones((0, 3))],
)
def test_png16_refuses_what_is_not_a_prepared_image(tmp_path, pixels):
    with pytest.raises(MammoError, match='pixels'):
        write_png16(tmp_path / 'a.png', pixels)
    assert list(tmp_path.iterdir()) == []


def test_png16_leaves_no_temporary_file_behind(tmp_path):
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(OSError, match=r'a\.png'):
        write_png16(tmp_path / 'a.png', np.zeros((2, 2)))
    assert [path.name for path in tmp_path.iterdir()] == ['a.png']


def test_read_png16_refuses_other_images(tmp_path):
    with pytest.raises(UnsupportedPixelData, match='uint8'):
        read_png16(write(tmp_path / 'a.png', np.zeros((2, 2, 3), 'u1')))
    with pytest.raises(CorruptFile, match='no such file'):
        read_png16(tmp_path / 'absent.png')


@pytest.mark.parametrize(('bits', 'save'), [(8, write_png8), (16, write_png16)])
def test_pixels_that_never_were_in_a_file_are_as_if_read_from_one(bits, save, tmp_path):
    pixels = np.random.default_rng(0).random((50, 37), dtype=np.float32)
    save(tmp_path / 'a.png', pixels)
    np.testing.assert_array_equal(as_read(pixels, bits), read_png16(tmp_path / 'a.png'))
