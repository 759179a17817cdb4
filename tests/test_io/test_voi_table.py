"""The one display table against pydicom's own per-pixel transforms."""

import numpy as np
import pytest
from dicom_factory import lut_item, make_dicom, save_dicom
from pydicom import dcmread
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from mmmammo.io import CorruptFile, UnsupportedPixelData, read_mammogram
from mmmammo.io.voi import window

WINDOW = {'WindowCenter': '1800', 'WindowWidth': '900.5'}
CASES = {
    'linear': WINDOW,
    'linear_exact': WINDOW | {'VOILUTFunction': 'LINEAR_EXACT'},
    'sigmoid': WINDOW | {'VOILUTFunction': 'SIGMOID'},
    'rescaled': {'RescaleSlope': '2', 'RescaleIntercept': '-512', 'WindowCenter': '3000', 'WindowWidth': '4000'},
    'negative_slope': {'RescaleSlope': '-1', 'RescaleIntercept': '4095'} | WINDOW,
    'rescaled_sigmoid': {
        'RescaleSlope': '0.5',
        'RescaleIntercept': '10',
        'WindowCenter': '900',
        'WindowWidth': '700',
        'VOILUTFunction': 'SIGMOID',
    },
}


def reference(path, low, high):
    dataset = dcmread(path)
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    return (values - low) / (high - low)


def image_of(dtype, low, high):
    return np.random.default_rng(3).integers(low, high + 1, (40, 30)).astype(dtype)


def output_range(tags, low, high):
    """What pydicom scales a window to: the range of the stored values after the rescale."""
    slope, intercept = float(tags.get('RescaleSlope', 1)), float(tags.get('RescaleIntercept', 0))
    return low * slope + intercept, high * slope + intercept


@pytest.mark.parametrize('tags', CASES.values(), ids=CASES)
@pytest.mark.parametrize(('dtype', 'low', 'high'), [('u2', 0, 4095), ('i2', -2048, 2047)], ids=['unsigned', 'signed'])
def test_equals_pydicom_with_a_window(tmp_path, tags, dtype, low, high):
    if dtype == 'i2':
        tags = tags | {'WindowCenter': str(float(tags['WindowCenter']) - 2048 * float(tags.get('RescaleSlope', 1)))}
    dataset = make_dicom(image_of(dtype, low, high), BitsStored=12, HighBit=11, **tags)
    path = save_dicom(dataset, tmp_path / 'image')
    np.testing.assert_allclose(read_mammogram(path).pixels, reference(path, *output_range(tags, low, high)), atol=2e-6)


@pytest.mark.parametrize('syntax', [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize('first', [0, 700])
def test_equals_pydicom_with_a_lut(tmp_path, syntax, first):
    dataset = make_dicom(image_of('u2', 0, 4095), BitsStored=12, HighBit=11)
    dataset.VOILUTSequence = [lut_item((np.linspace(0, 1, 3000) ** 2 * 4095).round(), first)]
    path = save_dicom(dataset, tmp_path / 'image', syntax)
    np.testing.assert_allclose(read_mammogram(path).pixels, reference(path, 0, 4095), atol=1e-6)


def test_equals_pydicom_with_a_modality_lut(tmp_path):
    dataset = make_dicom(image_of('u2', 0, 1023), BitsStored=10, HighBit=9, WindowCenter='2000', WindowWidth='4096')
    dataset.ModalityLUTSequence = [lut_item(np.arange(1000) * 4, 5, bits=16)]
    path = save_dicom(dataset, tmp_path / 'image')
    np.testing.assert_allclose(read_mammogram(path).pixels, reference(path, 0, 65535), atol=1e-6)


def test_eight_bit_lut_entries_packed_in_bytes(tmp_path):
    # pydicom's own transform cannot be the reference: it counts in the 8 bits of the entries.
    dataset = make_dicom(np.array([[0, 1], [2, 3]], 'u2'))
    item = lut_item([0, 0, 0, 0], bits=8)
    item.add_new('LUTData', 'OW', bytes([0, 51, 102, 255]))
    dataset.VOILUTSequence = [item]
    shown = read_mammogram(save_dicom(dataset, tmp_path / 'image')).pixels
    np.testing.assert_allclose(shown, [[0, 0.2], [0.4, 1]], atol=1e-6)


def test_lut_depth_that_names_the_container(tmp_path):
    dataset = make_dicom(np.array([[0, 1], [2, 3]], 'u2'))
    dataset.VOILUTSequence = [lut_item([0, 819, 1638, 4095], bits=16)]
    shown = read_mammogram(save_dicom(dataset, tmp_path / 'image')).pixels
    np.testing.assert_allclose(shown, [[0, 0.2], [0.4, 1]], atol=1e-6)


def test_lut_shorter_than_its_descriptor_is_corrupt(tmp_path):
    dataset = make_dicom(np.array([[0, 1], [2, 3]], 'u2'))
    item = lut_item([0, 1, 2, 4095])
    item.LUTDescriptor = [400, 0, 12]
    dataset.VOILUTSequence = [item]
    with pytest.raises(CorruptFile, match=r'LUTData \(0028,3006\): found 4 entries; expected 400'):
        read_mammogram(save_dicom(dataset, tmp_path / 'image'))


@pytest.mark.parametrize(
    ('tags', 'field'),
    [
        ({'RescaleSlope': '0', 'RescaleIntercept': '1'}, r'RescaleSlope \(0028,1053\)'),
        ({'RescaleSlope': '1e305', 'RescaleIntercept': '0'}, r'RescaleSlope \(0028,1053\): found 1e\+305'),
        (WINDOW | {'VOILUTFunction': 'CUBIC'}, r'VOILUTFunction \(0028,1056\)'),
    ],
)
def test_transforms_that_make_no_sense_are_refused(tmp_path, tags, field):
    with pytest.raises(UnsupportedPixelData, match=field):
        read_mammogram(save_dicom(make_dicom(image_of('u2', 0, 4095), **tags), tmp_path / 'image'))


def test_a_lut_of_negative_entries_is_corrupt(tmp_path):
    dataset = make_dicom(np.array([[0, 1], [2, 3]], 'u2'))
    item = lut_item([0, 1, 2, 4095])
    del item.LUTData
    item.add_new('LUTData', 'SS', [-2048, -1, 0, 2047])
    dataset.VOILUTSequence = [item]
    with pytest.raises(CorruptFile, match=r'LUTData \(0028,3006\): found entries from -2048'):
        read_mammogram(save_dicom(dataset, tmp_path / 'image'))


def test_of_several_windows_the_first_that_is_one_counts(tmp_path):
    image = image_of('u2', 0, 4095)
    plain = save_dicom(make_dicom(image, **WINDOW), tmp_path / 'plain')
    tags = {'WindowCenter': ['', '1800', '7'], 'WindowWidth': ['', '900.5', '9']}
    several = save_dicom(make_dicom(image, **tags), tmp_path / 'several')
    shown = [read_mammogram(path) for path in (plain, several)]
    np.testing.assert_array_equal(shown[0].pixels, shown[1].pixels)
    assert shown[1].meta.attributes['voi'] == 'linear'


def test_linear_window_of_width_one_is_a_threshold():
    np.testing.assert_array_equal(window(np.array([9.0, 9.5, 10.0]), 10, 1, 'LINEAR'), [0, 0, 1])


def test_sigmoid_far_from_its_centre_stays_finite():
    shown = window(np.array([-65536.0, 65535.0]), 0, 1e-3, 'SIGMOID')
    np.testing.assert_allclose(shown, [0, 1], atol=1e-12)
