"""The quick decoders give what pydicom's give, and give way to them where they are absent or fail."""

import io
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_factory import make_dicom
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import UID, JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from mmmammo.io.codestream import first_frame
from mmmammo.io.fast_decoders import FASTEST, UNDECODABLE, by_pydicom, decoded
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless
from mmmammo.testing.dicom_damage import seed_files

imagecodecs = pytest.importorskip('imagecodecs')
pytestmark = pytest.mark.filterwarnings('ignore::UserWarning')  # what pydicom finds odd in its own files
BUNDLED = sorted((Path(pydicom.__file__).parent / 'data' / 'test_files').glob('*.dcm'))
GREY_FILES = (
    'JPEGLSNearLossless_08.dcm',
    'JPEGLSNearLossless_16.dcm',
    'MR_small_RLE.dcm',
    'MR_small_jpeg_ls_lossless.dcm',
)
DEPTHS = [('u1', 8), ('u2', 8), ('u2', 12), ('u2', 14), ('u2', 16), ('i2', 12), ('i2', 16)]
DAMAGED_RLE = {
    'two bytes': lambda frame: frame[:2],
    'half a header': lambda frame: frame[:30],
    'three segments': lambda frame: b'\3' + frame[1:],
    'backwards': lambda frame: frame[:8] + b'\1\0\0\0' + frame[12:],
    'beyond the end': lambda frame: frame[:8] + b'\xff\xff\xff\0' + frame[12:],
    'cut': lambda frame: frame[: len(frame) * 3 // 4],
}


def noise(dtype, bits, shape=(41, 29)):
    """Every value that the depth has may occur."""
    low = -(2 ** (bits - 1)) if dtype[0] == 'i' else 0
    return np.random.default_rng(bits).integers(low, low + 2**bits, shape).astype(dtype)


def patterns(pixels, bits):
    """Stored bits without sign, as a codestream has them; of the least type."""
    unsigned = pixels.view(f'u{pixels.itemsize}') & (2**bits - 1)
    return unsigned.astype('u1' if bits <= 8 else 'u2')


def with_frame(pixels, frame, syntax, bits=16):
    dataset = make_dicom(pixels, BitsStored=bits)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate([frame])
    dataset['PixelData'].is_undefined_length = True
    return dataset


def rle(pixels):
    dataset = make_dicom(pixels)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.compress(RLELossless)
    return first_frame(dataset)


def fastest(dataset):
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    return FASTEST[decoder.UID](decoder, dataset)


def by_any(dataset):
    return decoded(get_decoder(dataset.file_meta.TransferSyntaxUID), dataset)


def assert_as_pydicom(dataset):
    expected = by_pydicom(get_decoder(dataset.file_meta.TransferSyntaxUID), dataset)
    pixels = fastest(dataset)
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize('name', GREY_FILES)
def test_files_of_pydicom_give_the_values_and_the_type_that_pydicom_gives(name):
    assert_as_pydicom(dcmread(get_testdata_file(name, download=False)))


def test_the_list_of_files_of_pydicom_is_complete():
    headers = [(path.name, dcmread(path, force=True, stop_before_pixels=True)) for path in BUNDLED]
    images = [(name, header) for name, header in headers if 'Rows' in header]
    fast = {name for name, header in images if header.file_meta.get('TransferSyntaxUID') in FASTEST}
    assert {name for name in fast if not name.startswith(('SC_rgb', 'rtdose'))} == set(GREY_FILES)


def test_files_of_the_phantom_give_the_values_and_the_type_that_pydicom_gives():
    datasets = [dcmread(io.BytesIO(data)) for data in seed_files()[:20]]
    quick = [dataset for dataset in datasets if dataset.file_meta.TransferSyntaxUID in FASTEST]
    assert {dataset.file_meta.TransferSyntaxUID for dataset in quick} == {JPEGLosslessSV1, JPEGLSLossless, RLELossless}
    for dataset in quick:
        assert_as_pydicom(dataset)


@pytest.mark.parametrize(('dtype', 'bits'), DEPTHS)
def test_rle_of_every_depth(dtype, bits):
    pixels = noise(dtype, bits)
    dataset = with_frame(pixels, rle(pixels), RLELossless, bits)
    assert fastest(dataset).dtype == pixels.dtype
    np.testing.assert_array_equal(fastest(dataset), pixels)
    np.testing.assert_array_equal(by_pydicom(get_decoder(RLELossless), dataset), pixels)


@pytest.mark.parametrize(('dtype', 'bits'), DEPTHS)
@pytest.mark.parametrize('predictor', range(1, 8))
def test_jpeg_lossless_of_every_depth_and_predictor(dtype, bits, predictor):
    pixels = noise(dtype, bits)
    stored = patterns(pixels, bits)
    frame = imagecodecs.jpeg8_encode(stored, lossless=True, predictor=predictor, bitspersample=bits)
    dataset = with_frame(pixels, frame, JPEGLossless, bits)
    assert fastest(dataset).dtype == pixels.dtype
    np.testing.assert_array_equal(fastest(dataset).view(f'u{pixels.itemsize}'), stored)
    if bits > 8 * (pixels.itemsize - 1):  # pydicom wants as many bytes as BitsAllocated says
        np.testing.assert_array_equal(by_pydicom(get_decoder(JPEGLossless), dataset), fastest(dataset))


@pytest.mark.parametrize('change', DAMAGED_RLE.values(), ids=DAMAGED_RLE)
def test_damaged_rle_is_left_to_pydicom(change):
    pixels = noise('u2', 12)
    dataset = with_frame(pixels, change(rle(pixels)), RLELossless)
    with pytest.raises(UNDECODABLE):
        fastest(dataset)
    with pytest.raises(UNDECODABLE):
        by_any(dataset)


@pytest.mark.parametrize('offset', [5, 7], ids=['height', 'width'])
def test_no_decoder_is_given_a_frame_of_another_size(offset, monkeypatch):
    """A damaged byte must not cost the memory of 65,535 x 65,535 pixels."""
    pixels = noise('u2', 12)
    frame = bytearray(encode_jpeg_lossless(pixels, 12))
    at = frame.index(b'\xff\xc3') + offset
    frame[at : at + 2] = b'\xff\xff'
    monkeypatch.setattr(imagecodecs, 'jpeg8_decode', lambda frame: pytest.fail('was asked'))
    monkeypatch.setattr(Decoder, 'as_array', lambda *args, **kwargs: pytest.fail('was asked'))
    with pytest.raises(ValueError, match=r'a stream of (65535x29|41x65535) pixels'):
        by_any(with_frame(pixels, bytes(frame), JPEGLosslessSV1))


def test_a_codestream_of_another_size_is_not_decoded(monkeypatch):
    dataset = make_dicom(noise('u2', 12, (64, 48)))
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.compress(JPEG2000Lossless)
    dataset.Rows = 65
    monkeypatch.setattr(Decoder, 'as_array', lambda *args, **kwargs: pytest.fail('was asked'))
    with pytest.raises(ValueError, match='a stream of 64x48 pixels with 1 samples'):
        by_any(dataset)


def test_samples_that_do_not_fit_the_pixels_are_not_cut():
    pixels = noise('u2', 12)
    dataset = with_frame(pixels.astype('u1'), encode_jpeg_lossless(pixels, 12), JPEGLosslessSV1, bits=8)
    with pytest.raises(ValueError, match='12 bits for pixels of 8'):
        fastest(dataset)


@pytest.mark.parametrize('syntax', [RLELossless, JPEGLosslessSV1])
def test_without_imagecodecs_pydicom_decodes(syntax, monkeypatch):
    pixels = noise('u2', 14)
    frame = rle(pixels) if syntax == RLELossless else encode_jpeg_lossless(pixels, 14)
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    np.testing.assert_array_equal(by_any(with_frame(pixels, frame, syntax)), pixels)


class Strict:
    """A decoder whose fastest plugin does not read the stream; it remembers which were asked."""

    def __init__(self, syntax):
        self.UID, self.asked = syntax, []

    def as_array(self, dataset, decoding_plugin='', **_):
        self.asked.append(decoding_plugin)
        if decoding_plugin == 'pyjpegls':
            raise RuntimeError('invalid marker')
        return np.array([[7]]), {}


@pytest.mark.parametrize(('syntax', 'asked'), [(JPEGLSLossless, ['pyjpegls', '']), (RLELossless, ['pydicom'])])
def test_another_decoder_reads_what_the_fastest_does_not(syntax, asked):
    """Of RLE pydicom's own: pylibjpeg-rle, where it is installed, raises something else than exceptions."""
    decoder = Strict(syntax)
    assert decoded(decoder, with_frame(noise('u2', 12), b'no stream', syntax)) == 7
    assert decoder.asked == asked
