"""Precision and size in the header of a compressed frame."""

import struct

import numpy as np
import pytest
from dicom_factory import make_dicom
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from mmmammo.io.codestream import stream_bits, stream_shape

PIXELS = (np.arange(64 * 48) % 4096).reshape(64, 48).astype('u2')


def jpeg(marker, precision, before=b''):
    """The first bytes of a frame: start, other segments, frame header of 2 x 3 pixels."""
    return b'\xff\xd8' + before + bytes([0xFF, marker, 0, 11, precision, 0, 2, 0, 3, 1, 1, 0x11, 0])


def compressed(syntax, **tags):
    dataset = make_dicom(PIXELS, **tags)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.compress(syntax)
    return dataset


def wrapped(frame):
    dataset = make_dicom(PIXELS)
    dataset.PixelData = encapsulate([frame])
    dataset['PixelData'].is_undefined_length = True
    return dataset


@pytest.mark.parametrize('syntax', [JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize('bits', [12, 14])
def test_what_an_encoder_wrote_is_read(syntax, bits):
    assert stream_bits(compressed(syntax, BitsStored=bits, HighBit=bits - 1)) == bits


@pytest.mark.parametrize('marker', [0xC0, 0xC1, 0xC3, 0xF7], ids=['baseline', 'extended', 'lossless', 'jpeg-ls'])
def test_the_frame_header_of_jpeg(marker):
    comment = b'\xff\xfe\x00\x06\xff\xc3ab'
    assert stream_bits(wrapped(jpeg(marker, 12, before=comment))) == 12


@pytest.mark.parametrize(
    'frame',
    [
        b'\xff\xd8',
        b'\xff\xd8\xff\xc4\x00\x00',
        jpeg(0xC4, 12),
        jpeg(0xC3, 12)[:6],
        b'\xff\x4f\xff\x51\x00',
        b'x' * 99,
    ],
    ids=['start', 'no-length', 'tables', 'cut', 'cut-j2k', 'no-image'],
)
def test_a_frame_without_header_has_no_precision(frame):
    assert stream_bits(wrapped(frame)) is None


def test_pixels_that_are_not_compressed_have_no_stream():
    assert stream_bits(make_dicom(PIXELS)) is None
    assert stream_bits(compressed(RLELossless)) is None


@pytest.mark.parametrize('syntax', [JPEG2000Lossless, JPEGLSLossless])
def test_the_size_that_an_encoder_wrote_is_read(syntax):
    assert stream_shape(compressed(syntax)) == (64, 48, 1)


def test_the_size_of_a_jpeg_and_of_one_whose_height_follows_its_first_scan():
    assert stream_shape(wrapped(jpeg(0xC3, 12))) == (2, 3, 1)
    assert stream_shape(wrapped(jpeg(0xC3, 12).replace(b'\0\2\0\3', b'\0\0\0\3'))) is None


def test_the_size_of_a_codestream_is_that_of_its_image_area_also_within_the_boxes_of_jp2():
    area = struct.pack('>4I', 13, 12, 3, 5)  # right, bottom, left, top
    codestream = b'\xff\x4f\xff\x51\0\x29\0\0' + area + bytes(16) + b'\0\x02\x0b\x01\x01'
    assert stream_shape(wrapped(codestream)) == (7, 10, 2)
    signature, kind = b'\0\0\0\x0cjP  \r\n\x87\n', b'\0\0\0\x14ftypjp2 \0\0\0\0jp2 '
    assert stream_shape(wrapped(signature + kind + b'\0\0\0\0jp2c' + codestream)) == (7, 10, 2)
    long_box = b'\0\0\0\1jp2c' + struct.pack('>Q', 16 + len(codestream))
    assert stream_shape(wrapped(signature + kind + long_box + codestream)) == (7, 10, 2)
    assert stream_shape(wrapped(signature + kind)) is None
    assert stream_shape(wrapped(codestream[:30])) is None


def test_what_is_not_compressed_or_not_complete_has_no_size():
    assert stream_shape(make_dicom(PIXELS)) is None
    assert stream_shape(compressed(RLELossless)) is None
    assert stream_shape(wrapped(b'x' * 99)) is None


def test_an_image_that_a_box_of_notes_holds_is_not_the_one_that_is_decoded():
    small = b'\xff\x4f\xff\x51\0\x29\0\0' + struct.pack('>4I', 3, 2, 0, 0) + bytes(16) + b'\0\x01\x0b\x01\x01'
    large = small.replace(struct.pack('>4I', 3, 2, 0, 0), struct.pack('>4I', 2**31, 2**31, 0, 0))
    note = struct.pack('>I4s', 8 + len(small), b'uuid') + small
    frame = b'\0\0\0\x0cjP  \r\n\x87\n' + note + struct.pack('>I4s', 0, b'jp2c') + large
    assert stream_shape(wrapped(frame)) == (2**31, 2**31, 1)


def test_bytes_that_fill_up_before_a_marker_hide_no_frame_header():
    """Read as a segment of 57 kB they would lead to whatever stands there."""
    large = jpeg(0xC3, 12, before=b'\xff').replace(b'\0\2\0\3', b'\xff\xff\xff\xff')
    decoy = jpeg(0xC3, 12)[2:]
    at = 2 + 2 + int.from_bytes(large[4:6], 'big')
    frame = large + bytes(at - len(large)) + decoy
    assert stream_shape(wrapped(frame)) == (65535, 65535, 1)
