"""Images that nobody on the project made."""

import numpy as np
import pytest
from pydicom import dcmread

from mmmammo.io import read_mammogram, read_meta
from mmmammo.preprocessing import breast_side


@pytest.fixture(scope='module')
def senographe(real_data):
    return real_data / 'dicom' / 'ge_senographe_r_mlo.dcm'


def test_senographe_header(senographe):
    meta = read_meta(senographe)
    assert (meta.laterality, meta.view, meta.view_modifiers) == ('R', 'MLO', ())
    assert meta.pixel_spacing_mm == pytest.approx(0.094, abs=1e-3)
    facts = {'body_part_thickness_mm': 73, 'implant': False, 'rows': 3062, 'columns': 2394}
    assert facts.items() <= meta.attributes.items()
    assert 'age' not in meta.attributes  # '000Y'
    assert 'ANON-1234' not in repr(meta)


def test_senographe_pixels(senographe):
    mammogram = read_mammogram(senographe)
    assert mammogram.pixels.shape == (3062, 2394)
    assert mammogram.meta.bits_stored == 12
    stored = dcmread(senographe).pixel_array
    padding = stored <= 30  # PixelPaddingRangeLimit
    assert (mammogram.pixels[padding] == 0).all()
    lut = dcmread(senographe).VOILUTSequence[0]
    by_hand = np.array(lut.LUTData)[np.clip(stored[~padding].astype(int) - 625, 0, 3446)] / 4095
    np.testing.assert_allclose(mammogram.pixels[~padding], by_hand, atol=1e-6)
    assert 0.1 < np.median(mammogram.pixels[~padding]) < 0.4
    assert breast_side(mammogram.pixels) == 'R'


def test_senographe_lut_and_sigmoid_are_one_picture(senographe, tmp_path):
    """The three LUTs of this vendor sample the three SIGMOID windows, so that either choice shows the same."""
    dataset = dcmread(senographe)
    del dataset.VOILUTSequence
    dataset.save_as(tmp_path / 'windows_only')
    by_window, by_lut = read_mammogram(tmp_path / 'windows_only'), read_mammogram(senographe)
    assert (by_window.meta.attributes['voi'], by_lut.meta.attributes['voi']) == ('sigmoid', 'lut')
    np.testing.assert_allclose(by_window.pixels, by_lut.pixels, atol=0.003)


@pytest.mark.parametrize('name', ['L-CC', 'L-MLO', 'R-CC', 'R-MLO'])
def test_exam_of_twelve_bits_in_sixteen(real_data, name):
    mammogram = read_mammogram(real_data / 'exam_0' / f'0_{name}.png')
    assert f'{mammogram.meta.laterality}-{mammogram.meta.view}' == name
    assert mammogram.meta.bits_stored == 12
    assert mammogram.pixels.max() == 1
    assert breast_side(mammogram.pixels) == mammogram.meta.laterality
