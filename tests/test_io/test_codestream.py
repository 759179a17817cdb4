"""Precision in the header of a compressed frame."""

import numpy as np
import pytest
from dicom_factory import make_dicom
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from mmmammo.io.codestream import stream_bits

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
