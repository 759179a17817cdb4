"""DICOM files to display values: every transfer syntax, hand-computed pixels."""

from pathlib import Path

import numpy as np
import pytest
from dicom_factory import lut_item, make_dicom, save_dicom
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from mmmammo.io import read_mammogram, read_meta
from mmmammo.io.dicom_file import open_dicom
from mmmammo.io.stored_values import decode
from mmmammo.structures import Laterality, View

NATIVE = {
    'implicit': ImplicitVRLittleEndian,
    'explicit': ExplicitVRLittleEndian,
    'big_endian': ExplicitVRBigEndian,
    'deflated': DeflatedExplicitVRLittleEndian,
}
COMPRESSED = {'rle': RLELossless, 'jpeg_ls': JPEGLSLossless, 'jpeg_2000': JPEG2000Lossless}


def ramp(dtype, low=0, high=4095, size=64):
    return np.linspace(low, high, size * size).round().astype(dtype).reshape(size, size)


def pixels_of(tmp_path, pixels, syntax=ExplicitVRLittleEndian, **tags):
    return read_mammogram(save_dicom(make_dicom(pixels, **tags), tmp_path / 'image', syntax)).pixels


@pytest.mark.parametrize('syntax', [*NATIVE.values(), *COMPRESSED.values()], ids=[*NATIVE, *COMPRESSED])
@pytest.mark.parametrize(
    ('dtype', 'low', 'high', 'bits'),
    [('u1', 0, 255, 8), ('u2', 0, 4095, 12), ('u2', 0, 65535, 16), ('i2', -2048, 2047, 12), ('i2', -300, 700, 16)],
)
def test_every_syntax_gives_the_same_display_values(tmp_path, syntax, dtype, low, high, bits):
    stored = ramp(dtype, low, high)
    mammogram = read_mammogram(save_dicom(make_dicom(stored, BitsStored=bits), tmp_path / 'image', syntax))
    np.testing.assert_allclose(mammogram.pixels, (stored.astype(float) - low) / (high - low), atol=1e-6)
    assert mammogram.pixels.dtype == np.float32
    assert mammogram.meta.bits_stored == bits
    assert mammogram.meta.attributes['transfer_syntax'] == syntax


@pytest.mark.parametrize('read', [read_mammogram, read_meta])
def test_pydicom_says_nothing_of_its_own(tmp_path, recwarn, read):
    dataset = make_dicom(ramp('u2'), PatientSex='neither', SpecificCharacterSet='bogus', PatientAge='abc')
    dataset.PixelData += bytes(128)
    path = save_dicom(dataset, tmp_path / 'image')
    recwarn.clear()
    read(path)
    assert len(recwarn) == 0


@pytest.mark.parametrize('syntax', [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_file_without_preamble_and_syntax_is_read(tmp_path, syntax):
    stored = ramp('u2')
    mammogram = read_mammogram(save_dicom(make_dicom(stored), tmp_path / 'no_extension', syntax, preamble=False))
    np.testing.assert_allclose(mammogram.pixels, stored / 4095, atol=1e-6)
    assert (mammogram.meta.laterality, mammogram.meta.view) == (Laterality.LEFT, View.CC)


@pytest.mark.parametrize(
    'name',
    [
        'J2K_pixelrep_mismatch.dcm',
        '693_J2KI.dcm',
        'JPEGLSNearLossless_16.dcm',
        'JPGExtended.dcm',
        'MR_small_bigendian.dcm',
        'MR_small_RLE.dcm',
    ],
)
def test_stored_values_of_foreign_files_are_those_of_pydicom(name):
    path = Path(get_testdata_file(name, download=False))
    stored = decode(open_dicom(path, with_pixels=True), path)
    np.testing.assert_array_equal(stored.values[stored.patterns], dcmread(path).pixel_array)


def test_linear_window_by_hand(tmp_path):
    # c = 8, w = 5: y = (x - 7.5) / 4 + 0.5, clipped.
    stored = np.array([[0, 6], [8, 10]], 'u2')
    shown = pixels_of(tmp_path, stored, WindowCenter='8', WindowWidth='5')
    np.testing.assert_allclose(shown, [[0, 0.125], [0.625, 1]], atol=1e-6)


def test_monochrome1_is_inverted_after_the_window_and_once(tmp_path):
    stored = np.array([[0, 6], [8, 10]], 'u2')
    tags = {'WindowCenter': '8', 'WindowWidth': '5', 'PhotometricInterpretation': 'MONOCHROME1'}
    expected = [[1, 0.875], [0.375, 0]]
    np.testing.assert_allclose(pixels_of(tmp_path, stored, **tags), expected, atol=1e-6)
    np.testing.assert_allclose(pixels_of(tmp_path, stored, **tags, PresentationLUTShape='INVERSE'), expected, atol=1e-6)


def test_presentation_lut_shape_inverse_alone_inverts(tmp_path):
    shown = pixels_of(tmp_path, np.array([[0, 1], [3, 4]], 'u2'), PresentationLUTShape='INVERSE')
    np.testing.assert_allclose(shown, [[1, 0.75], [0.25, 0]], atol=1e-6)


def test_padding_is_black_and_outside_every_statistic(tmp_path):
    stored = np.array([[0, 5, 30, 100], [150, 200, 250, 300]], 'u2')
    shown = pixels_of(tmp_path, stored, PixelPaddingValue=0, PixelPaddingRangeLimit=30)
    np.testing.assert_allclose(shown, [[0, 0, 0, 0], [0.25, 0.5, 0.75, 1]], atol=1e-6)


def test_padding_of_monochrome1_is_black_too(tmp_path):
    stored = np.array([[4095, 4095], [100, 300], [200, 150]], 'u2')
    shown = pixels_of(tmp_path, stored, PixelPaddingValue=4095, PhotometricInterpretation='MONOCHROME1')
    np.testing.assert_allclose(shown, [[0, 0], [1, 0], [0.5, 0.75]], atol=1e-6)


def test_padding_range_may_be_given_backwards_and_signed(tmp_path):
    stored = np.array([[-2000, -1000], [0, 10]], 'i2')
    shown = pixels_of(tmp_path, stored, PixelPaddingValue=-1000, PixelPaddingRangeLimit=-2000)
    np.testing.assert_allclose(shown, [[0, 0], [0, 1]], atol=1e-6)


def test_bits_stored_that_lies_does_not_cut_pixels(tmp_path):
    stored = ramp('u2', 0, 16383)
    mammogram = read_mammogram(save_dicom(make_dicom(stored, BitsStored=12), tmp_path / 'image'))
    np.testing.assert_allclose(mammogram.pixels, stored / 16383, atol=1e-6)
    assert mammogram.meta.bits_stored == 14


def test_jpeg_2000_precision_below_bits_stored(tmp_path):
    path = save_dicom(make_dicom(ramp('u2'), BitsStored=12), tmp_path / 'image', JPEG2000Lossless)
    dataset = dcmread(path)
    dataset.BitsStored, dataset.HighBit = 16, 15
    dataset.save_as(path)
    np.testing.assert_allclose(read_mammogram(path).pixels, ramp('u2') / 4095, atol=1e-6)


def test_signed_values_that_are_not_sign_extended(tmp_path):
    # 12 bits: 0xFFF is -1, 0x800 is -2048.
    stored = np.array([[0x800, 0xFFF], [0, 0x7FF]], 'u2')
    shown = pixels_of(tmp_path, stored, BitsStored=12, PixelRepresentation=1)
    np.testing.assert_allclose(shown, [[0, 2047 / 4095], [2048 / 4095, 1]], atol=1e-6)


def test_window_for_another_depth_gives_way_to_the_value_range(tmp_path):
    stored = np.array([[0, 51], [102, 255]], 'u2')  # 8-bit pixels, 12-bit window
    dataset = make_dicom(stored, WindowCenter='2048', WindowWidth='4096')
    mammogram = read_mammogram(save_dicom(dataset, tmp_path / 'image'))
    np.testing.assert_allclose(mammogram.pixels, [[0, 0.2], [0.4, 1]], atol=1e-6)
    assert mammogram.meta.attributes['voi'] == 'range'


def test_lut_wins_over_window(tmp_path):
    dataset = make_dicom(np.array([[0, 1], [2, 3]], 'u2'), WindowCenter='2', WindowWidth='2')
    dataset.VOILUTSequence = [lut_item([0, 4095, 819, 1638]), lut_item([0, 0, 0, 4095])]
    mammogram = read_mammogram(save_dicom(dataset, tmp_path / 'image'))
    np.testing.assert_allclose(mammogram.pixels, [[0, 1], [0.2, 0.4]], atol=1e-6)
    assert mammogram.meta.attributes['voi'] == 'lut'


def test_first_of_several_windows(tmp_path):
    tags = {'WindowCenter': [2, 900], 'WindowWidth': [4, 1], 'VOILUTFunction': 'LINEAR_EXACT'}
    shown = pixels_of(tmp_path, np.array([[0, 1], [2, 4]], 'u2'), **tags)
    np.testing.assert_allclose(shown, [[0, 0.25], [0.5, 1]], atol=1e-6)


@pytest.mark.parametrize('width', ['0', '-4', 'wide'])
def test_window_without_width_is_no_window(tmp_path, width):
    dataset = make_dicom(np.array([[0, 1], [2, 4]], 'u2'), WindowCenter='2')
    dataset.add_new('WindowWidth', 'LO', width)
    mammogram = read_mammogram(save_dicom(dataset, tmp_path / 'image'))
    assert mammogram.meta.attributes['voi'] == 'range'


def test_missing_photometric_interpretation_counts_as_monochrome2(tmp_path):
    shown = pixels_of(tmp_path, np.array([[0, 1], [2, 4]], 'u2'), PhotometricInterpretation=None)
    np.testing.assert_allclose(shown, [[0, 0.25], [0.5, 1]], atol=1e-6)
