"""Files that are damaged, or of every kind that pydicom tests itself with: read or refused, nothing else."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from mmmammo.io import CorruptFile, MammogramError, NotAMammogram, UnsupportedPixelData, read_mammogram
from mmmammo.testing.dicom_damage import DAMAGE, damaged, seed_files

BUNDLED = sorted((Path(pydicom.__file__).parent / 'data' / 'test_files').rglob('*'))
FILES = [path for path in BUNDLED if path.is_file() and path.suffix != '.py']
KINDS = {
    'CT_small.dcm': NotAMammogram,
    'MR_small.dcm': NotAMammogram,
    'MR_small_RLE.dcm': NotAMammogram,
    'MR_truncated.dcm': NotAMammogram,
    'JPEG2000.dcm': NotAMammogram,
    'rtplan.dcm': NotAMammogram,
    'rtstruct.dcm': NotAMammogram,
    'reportsi.dcm': NotAMammogram,
    'DICOMDIR': NotAMammogram,
    'SC_rgb.dcm': NotAMammogram,
    'README.txt': CorruptFile,
}


@pytest.fixture(scope='module')
def originals():
    return seed_files()


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_files_of_pydicom_are_read_or_refused(path):
    try:
        pixels = read_mammogram(path).pixels
    except MammogramError as err:
        assert err.reason
        assert type(err) is KINDS.get(path.name, type(err))
    else:
        assert path.name not in KINDS
        assert pixels.ndim == 2 and pixels.min() >= 0 and pixels.max() <= 1


@pytest.mark.parametrize(
    'name', ['SC_rgb_rle.dcm', 'SC_rgb_jpeg_gdcm.dcm', 'SC_rgb_rle_2frame.dcm', 'examples_palette.dcm', 'rtdose.dcm']
)
def test_colours_and_stacks_that_claim_to_be_mammograms_are_unsupported(name, tmp_path):
    dataset = pydicom.dcmread(next(path for path in FILES if path.name == name))
    dataset.Modality = 'MG'
    dataset.save_as(tmp_path / name)
    with pytest.raises(UnsupportedPixelData):
        read_mammogram(tmp_path / name)


@pytest.mark.parametrize('number', range(30 * len(DAMAGE)))
def test_damage_is_refused_with_a_reason_or_does_not_matter(number, originals, tmp_path):
    kind, data = damaged(originals, 1, number)
    path = tmp_path / 'damaged.dcm'
    path.write_bytes(data)
    try:
        image = read_mammogram(path)
    except MammogramError as err:
        assert err.found is not None and err.remedy, kind
    else:
        assert image.pixels.dtype == np.float32 and 0 <= image.pixels.min() < image.pixels.max() <= 1, kind
