"""What the encoder writes, two independent things read back: libjpeg, and the definition."""

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1

from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless


def decoded(stream, shape, bits):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, 'MONOCHROME2', 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelData = encapsulate([stream])
    dataset['PixelData'].VR = 'OB'
    return dataset.pixel_array


@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_what_is_written_is_read(bits):
    pixels = np.random.default_rng(bits).integers(0, 2**bits, size=(37, 53)).astype(np.uint16)
    assert np.array_equal(decoded(encode_jpeg_lossless(pixels, bits), pixels.shape, bits), pixels)


@pytest.mark.parametrize('pixels', [np.zeros((4, 9)), np.tile([0, 2**15, 0, 2**16 - 1], (3, 4)), [[7]]])
def test_the_ends_of_the_range_are_read(pixels):
    pixels = np.asarray(pixels, dtype=np.uint16)
    assert np.array_equal(decoded(encode_jpeg_lossless(pixels, 16), pixels.shape, 16), pixels)


def test_a_stream_is_that_of_the_standard():
    stream = encode_jpeg_lossless(np.array([[2**11, 2**11 + 1, 2**11 - 2]], dtype=np.uint16), 12)
    assert stream.startswith(b'\xff\xd8\xff\xe0') and stream.endswith(b'\xff\xd9')
    # differences 0, 1, -3: categories 0, 1, 2 of five bits; then 1, and -3 - 1 = ...00 in two bits; ones to the byte
    bits = '00000' + '00001' + '1' + '00010' + '00'
    assert stream[-5:-2] == int(bits.ljust(24, '1'), 2).to_bytes(3, 'big')
