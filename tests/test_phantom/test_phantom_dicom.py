import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_voi_lut

from mmmammo.io import read_mammogram, read_meta
from mmmammo.phantom import VENDORS, PhantomConfig, make_dataset, make_exam, write_dicom
from mmmammo.structures import Laterality


@pytest.fixture(scope='module', params=list(VENDORS))
def exam(request):
    return make_exam(PhantomConfig(height=256, vendors=(request.param,)), seed=3)


def test_decodes_to_the_rendered_image(exam, tmp_path):
    for view in exam.views:
        path = tmp_path / f'{view.name}.dcm'
        write_dicom(path, exam, view)
        dataset = pydicom.dcmread(path)
        shown = apply_voi_lut(dataset.pixel_array, dataset) / (2**dataset.BitsStored - 1)
        if dataset.PhotometricInterpretation == 'MONOCHROME1':
            shown = 1 - shown
        # A sigmoid of a quarter of a 12-bit range: half a step of 4 / 4095 / 4 at its steepest, and its ends.
        np.testing.assert_allclose(shown, view.image, atol=5.5e-4)
        assert list(tmp_path.glob('.*')) == []


def test_reader_agrees_with_the_writer(exam, tmp_path):
    for view in exam.views:
        path = tmp_path / f'{view.name}.dcm'
        write_dicom(path, exam, view)
        mammogram = read_mammogram(path)
        np.testing.assert_allclose(mammogram.pixels, view.image, atol=5.5e-4)
        meta = read_meta(path)
        assert (meta.laterality, meta.view) == (view.laterality, view.view)
        assert meta.pixel_spacing_mm == pytest.approx(view.projection.spacing_mm)
        assert meta.patient_id == exam.patient_id
        assert meta.manufacturer == exam.vendor.name


def test_tags_are_those_of_the_vendor(exam):
    dataset = make_dataset(exam, exam.views[0])
    vendor = exam.vendor
    assert dataset.file_meta.TransferSyntaxUID == vendor.transfer_syntax
    assert dataset.BitsStored == vendor.bits_stored
    assert ('VOILUTSequence' in dataset) == (vendor.voi == 'lut')
    assert dataset.get('VOILUTFunction') == {'lut': None, 'sigmoid': 'SIGMOID'}.get(vendor.voi, 'LINEAR')
    assert ('PixelPaddingValue' in dataset) == vendor.padding
    assert dataset.BurnedInAnnotation == ('YES' if vendor.marker else 'NO')
    assert dataset.Manufacturer.startswith('PHANTOM')
    assert dataset.PatientAge == f'{exam.woman.age:03d}Y'


def test_bytes_are_deterministic_and_uids_unique(exam, tmp_path):
    uids = set()
    for view in exam.views:
        first, second = tmp_path / 'a.dcm', tmp_path / 'b.dcm'
        write_dicom(first, exam, view)
        write_dicom(second, exam, view)
        assert first.read_bytes() == second.read_bytes()
        uids.add(pydicom.dcmread(first, stop_before_pixels=True).SOPInstanceUID)
    assert len(uids) == 4


def test_the_profiles_cover_what_readers_must_handle():
    assert {v.bits_stored for v in VENDORS.values()} == {12, 14}
    assert {v.inverted for v in VENDORS.values()} == {False, True}
    assert {v.voi for v in VENDORS.values()} == {'identity', 'linear', 'sigmoid', 'lut'}
    assert len({v.transfer_syntax for v in VENDORS.values()}) == 3


def test_the_marker_is_in_air_away_from_the_chest_wall():
    exam = make_exam(PhantomConfig(height=512, vendors=('PHANTOM-D',)), seed=0)
    for view in exam.views:
        image = view.image if view.laterality is Laterality.LEFT else view.image[:, ::-1]
        contour_end = np.abs(view.landmarks.contour[:, 0] - (0 if view.laterality is Laterality.LEFT else 394)).max()
        beyond = image[:, int(contour_end) + 2 :]
        assert beyond.max() > 0.8
        assert np.flatnonzero(beyond.max(axis=1))[-1] < 40
