"""Files whose headers promise more memory than any mammogram needs cost a message."""

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from dicom_factory import make_dicom, save_dicom
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from mmmammo.io import UnsupportedPixelData, dicom_file, limits, raster, read_mammogram, read_meta
from mmmammo.io.errors import CorruptFile
from mmmammo.io.film_scan import decode_ljpeg
from mmmammo.io.image_sizes import image_size
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless

PIXELS = np.arange(4096, dtype='u2').reshape(64, 64)
GREY = (np.arange(21 * 13) % 251).astype('u1').reshape(21, 13)
SIDE = 20_000  # of a square image with more than 2 ** 28 pixels


def chunk(kind, content):
    return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))


def png(rows, columns):
    header = struct.pack('>IIBBBBB', columns, rows, 16, 6, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(99))) + chunk(b'IEND', b'')
    )


def tiff(*entries, order='<'):
    """A TIFF without pixels; entries are (tag, type, value)."""
    kinds = {1: 'B3x', 3: 'H2x', 4: 'I'}
    body = b''.join(struct.pack(f'{order}HHI{kinds[kind]}', tag, kind, 1, value) for tag, kind, value in entries)
    mark = b'II*\0' if order == '<' else b'MM\0*'
    return mark + struct.pack(f'{order}IH', 8, len(entries)) + body + bytes(4)


def jpeg(rows, columns):
    encoded = cv2.imencode('.jpg', GREY)[1].tobytes()
    return encoded.replace(struct.pack('>HH', *GREY.shape), struct.pack('>HH', rows, columns), 1)


LARGE = {
    'png': png(SIDE, SIDE),
    'jpeg': jpeg(SIDE, SIDE),
    'pgm': b'P5 20000 # a note\n20000 255\n' + bytes(99),
    'tiff': tiff((256, 4, SIDE), (257, 3, SIDE)),
    'big-endian tiff': tiff((256, 3, SIDE), (257, 4, SIDE), order='>'),
    'tiff with a smaller second width': tiff((256, 4, SIDE), (256, 4, 1), (257, 4, SIDE)),
}


@pytest.mark.parametrize('data', LARGE.values(), ids=LARGE)
def test_a_raster_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch, data):
    monkeypatch.setattr(raster.cv2, 'imdecode', lambda *_: pytest.fail('was asked'))
    (tmp_path / 'a.png').write_bytes(data)
    with pytest.raises(
        UnsupportedPixelData, match=r'image size: found 20000 x 20000 pixels; expected at most 268,435,456'
    ):
        read_mammogram(tmp_path / 'a.png')


def test_the_limit_itself_is_allowed(tmp_path):
    limits.require_size(tmp_path, 'size', 2**14, 2**14)
    with pytest.raises(UnsupportedPixelData):
        limits.require_size(tmp_path, 'size', 2**14, 2**14 + 1)


@pytest.mark.parametrize('extension', ['png', 'jpg', 'pgm', 'tif'])
@pytest.mark.parametrize('bits', [8, 16])
def test_sizes_are_those_that_the_decoder_finds(tmp_path, extension, bits):
    grey = GREY if bits == 8 or extension == 'jpg' else GREY.astype('u2') * 257
    cv2.imwrite(str(tmp_path / f'a.{extension}'), grey)
    data = (tmp_path / f'a.{extension}').read_bytes()
    assert image_size(data, raster.raster_format(data)) == (21, 13)
    assert raster.decode_raster(tmp_path / f'a.{extension}').shape == (21, 13)


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'tiff_adobe_deflate'])
def test_tiff_of_another_writer(tmp_path, compression):
    Image.fromarray(GREY).save(tmp_path / 'a.tif', compression=compression, tiffinfo={270: 'a note'})
    assert image_size((tmp_path / 'a.tif').read_bytes(), 'tiff') == (21, 13)
    np.testing.assert_array_equal(raster.decode_raster(tmp_path / 'a.tif'), GREY)


@pytest.mark.parametrize(
    'data',
    [
        b'\x89PNG\r\n\x1a\n' + chunk(b'tEXt', b'a\0b') + png(2, 2)[8:],
        b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0',
        tiff((256, 4, 5)),
        tiff((256, 4, 5), (257, 4, 5))[:20],
        b'II*\0\xff\xff\xff\xff',
        b'P5 x',
        b'\xff\xd8\xff',
    ],
    ids=['png begins otherwise', 'png cut', 'tiff without height', 'tiff cut', 'tiff of nothing', 'pgm', 'jpeg'],
)
def test_an_image_that_does_not_say_its_size_is_corrupt(tmp_path, monkeypatch, data):
    monkeypatch.setattr(raster.cv2, 'imdecode', lambda *_: pytest.fail('was asked'))
    (tmp_path / 'a.png').write_bytes(data)
    with pytest.raises(CorruptFile, match='cannot be decoded'):
        read_mammogram(tmp_path / 'a.png')


def test_a_note_with_a_wrong_checksum_does_not_matter(tmp_path):
    encoded = cv2.imencode('.png', GREY)[1].tobytes()
    note = chunk(b'tEXt', b'Comment\0b')[:-1] + b'?'
    (tmp_path / 'a.png').write_bytes(encoded[:33] + note + encoded[33:])
    np.testing.assert_array_equal(raster.decode_raster(tmp_path / 'a.png'), GREY)


def test_a_film_scan_of_too_many_pixels_is_refused(tmp_path):
    data = bytearray(encode_jpeg_lossless(PIXELS, 12))
    at = data.index(b'\xff\xc3') + 5
    data[at : at + 4] = struct.pack('>HH', 65535, 65535)
    with pytest.raises(UnsupportedPixelData, match='LJPEG: found 65535 x 65535 pixels'):
        decode_ljpeg(bytes(data), tmp_path)


def test_dicom_of_too_many_pixels_is_refused(tmp_path):
    path = save_dicom(make_dicom(PIXELS, Rows=65535, Columns=65535), tmp_path / 'a.dcm')
    with pytest.raises(UnsupportedPixelData, match=r'Rows .0028,0010., Columns .0028,0011.: found 65535 x 65535'):
        read_mammogram(path)


def test_a_deflated_file_is_read(tmp_path):
    path = save_dicom(make_dicom(PIXELS), tmp_path / 'a.dcm', DeflatedExplicitVRLittleEndian)
    np.testing.assert_allclose(read_mammogram(path).pixels, PIXELS / 4095, atol=1e-6)
    assert read_meta(path).view == 'CC'


@pytest.fixture
def bomb(tmp_path):
    """Four megabytes of zeros in a few kilobytes."""
    dataset = make_dicom(PIXELS)
    dataset.add_new(0x00091010, 'OB', bytes(2**22))
    path = save_dicom(dataset, tmp_path / 'a.dcm', DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 2**16
    return path


@pytest.mark.parametrize('read', [read_mammogram, read_meta])
def test_a_deflated_file_is_not_inflated_beyond_the_limit(bomb, monkeypatch, read):
    monkeypatch.setattr(dicom_file, 'LARGEST', 2**21)
    tracemalloc.start()
    with pytest.raises(UnsupportedPixelData, match='deflated data set: found more than 2,097,152 bytes'):
        read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22  # not all of it was there at any time


def test_what_stays_below_the_limit_is_inflated(bomb):
    assert read_meta(bomb).view == 'CC'
    assert dicom_file._inflates_beyond(zlib.compress(bytes(2**20), wbits=-15), 2**20 - 1)
    assert not dicom_file._inflates_beyond(zlib.compress(bytes(2**20), wbits=-15), 2**20)
    assert not dicom_file._inflates_beyond(b'no stream', 5)


@pytest.mark.parametrize('padding', [b'', b'\0', bytes(9), bytes(2**21)])
@pytest.mark.parametrize('length', [2**20 - 1, 2**20, 2**20 + 1, 5 * 2**20])
def test_what_pads_a_deflated_stream_does_not_count(padding, length):
    deflated = zlib.compress(bytes(length), wbits=-15) + padding
    assert not dicom_file._inflates_beyond(deflated, length)
    assert dicom_file._inflates_beyond(deflated, length - 1)
