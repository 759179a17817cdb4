"""Scans of films: lossless JPEG and raw values, on the curves of their scanners."""

import numpy as np
import pytest

from mmmammo.io import CorruptFile, read_film_scan
from mmmammo.io.film_scan import CURVES, decode_ljpeg
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless
from mmmammo.structures import FilmScan


def scan(shape=(40, 30), bits=12):
    return np.linspace(0, 2**bits - 1, shape[0] * shape[1]).astype(np.uint16).reshape(shape)


@pytest.mark.parametrize('bits', [12, 16])
@pytest.mark.parametrize('raw', [True, False])
def test_ljpeg_and_raw_values_are_the_same_image(tmp_path, bits, raw):
    grey = scan(bits=bits)
    path = tmp_path / ('x.LEFT_CC.LJPEG' + '.1' * raw)
    path.write_bytes(grey.astype('>u2').tobytes() if raw else encode_jpeg_lossless(grey, bits))
    mammogram = read_film_scan(path, FilmScan(shape=(40, 30)))
    np.testing.assert_allclose(mammogram.pixels, grey / (2**bits - 1), atol=1e-6)
    assert mammogram.meta.bits_stored == bits and mammogram.pixels.dtype == np.float32
    assert (mammogram.meta.laterality, mammogram.meta.view) == ('L', 'CC')


@pytest.mark.parametrize(
    ('curve', 'formula'),
    [
        ('dba-mgh', lambda g: (np.log10(g + 1) - 4.80662) / -1.07553),
        ('howtek-mgh', lambda g: 3.789 - 0.00094568 * g),
        ('lumisys-wfu', lambda g: (g - 4096.99) / -1009.01),
        ('howtek-ismd', lambda g: 3.96604 - 0.00099055807612 * g),
    ],
)
def test_display_values_follow_optical_density(tmp_path, curve, formula):
    grey = scan(bits=16 if curve == 'dba-mgh' else 12)
    (tmp_path / 'x.LJPEG.1').write_bytes(grey.astype('>u2').tobytes())
    pixels = read_film_scan(tmp_path / 'x.LJPEG.1', FilmScan(curve, grey.shape)).pixels
    density = np.clip(formula(grey.astype(float)), 0.05, 3.0)
    np.testing.assert_allclose(pixels, (3.0 - density) / 2.95, atol=1e-6)
    assert (np.diff(pixels.ravel()) >= 0).all() and pixels[0, 0] == 0 and pixels[-1, -1] > 0.95
    assert curve in CURVES


@pytest.mark.parametrize(
    ('content', 'name', 'words'),
    [
        (encode_jpeg_lossless(scan(), 12)[:500], 'x.LJPEG', r'without its end; .*jpeg -d -s'),
        (b'\xff\xd8\xff\xd9', 'x.LJPEG', 'libjpeg does not read'),
        (encode_jpeg_lossless(scan((30, 40)), 12), 'x.LJPEG', 'found 30 x 40 pixels; expected 40 x 30'),
        (scan().tobytes()[:-2], 'x.LJPEG.1', 'found 2398 bytes; expected 40 x 30 pixels of 16 bits'),
        (bytes(2400), 'x.LJPEG.1', 'one value everywhere'),
        (b'', 'x.LJPEG', 'an empty file'),
    ],
)
def test_a_file_that_is_not_the_scan_is_refused(tmp_path, content, name, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptFile, match=words):
        read_film_scan(tmp_path / name, FilmScan(shape=(40, 30)))


def test_raw_values_need_a_size(tmp_path):
    (tmp_path / 'x.LJPEG.1').write_bytes(scan().tobytes())
    with pytest.raises(CorruptFile, match='a size from its source'):
        read_film_scan(tmp_path / 'x.LJPEG.1', FilmScan())


def test_decoding_keeps_all_bits(tmp_path):
    grey = np.random.default_rng(3).integers(0, 2**16, (17, 23), dtype=np.uint16)
    np.testing.assert_array_equal(decode_ljpeg(encode_jpeg_lossless(grey, 16), tmp_path), grey)
