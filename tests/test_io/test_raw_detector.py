"""Raw images: refused, shown as they are, or made a picture by the law of attenuation."""

import numpy as np
import pytest
from dicom_factory import make_dicom, save_dicom

from mmmammo.io import NotForPresentation, read_mammogram
from mmmammo.structures import Policy

AIR = 8000
THICKNESS = np.pad(np.tile(np.linspace(0.5, 2, 40), (30, 1)), ((20, 20), (0, 60)))  # mu * t; air around the breast
COUNTS = np.rint(AIR * np.exp(-THICKNESS)).astype('u2')
LOGS = np.rint(1000 * np.log(AIR / 1.0) - 1000 * THICKNESS).astype('u2')
ATTENUATION = np.clip(THICKNESS / np.percentile(THICKNESS[THICKNESS > 0], 99.9), 0, 1)


def raw(tmp_path, pixels, **tags):
    dataset = make_dicom(pixels, PresentationIntentType='FOR PROCESSING', **tags)
    return save_dicom(dataset, tmp_path / 'raw.dcm')


@pytest.mark.parametrize(
    ('pixels', 'tags'),
    [
        (COUNTS, {}),
        (COUNTS, {'PixelIntensityRelationship': 'LIN', 'PixelIntensityRelationshipSign': 1}),
        (COUNTS, {'PhotometricInterpretation': 'MONOCHROME1'}),
        (LOGS, {'PixelIntensityRelationship': 'LOG'}),
        (LOGS, {'PixelIntensityRelationship': 'LOG', 'PixelIntensityRelationshipSign': 1}),
        (LOGS.max() - LOGS, {'PixelIntensityRelationship': 'LOG', 'PixelIntensityRelationshipSign': -1}),
        (LOGS.max() - LOGS, {}),
        (LOGS.max() - LOGS, {'PixelPaddingValue': 30000}),
    ],
)
def test_a_raw_image_is_developed_to_attenuation(tmp_path, pixels, tags):
    image = read_mammogram(raw(tmp_path, pixels, **tags), for_processing=Policy.MEND)
    assert np.abs(image.pixels - ATTENUATION).max() < 3e-3
    assert image.meta.attributes['voi'] == 'developed' and image.meta.attributes['for_processing'] is True


def test_padding_is_black_and_no_air(tmp_path):
    pixels = COUNTS.copy()
    pixels[:, 50:] = 0
    image = read_mammogram(raw(tmp_path, pixels, PixelPaddingValue=0), for_processing=Policy.MEND).pixels
    assert (image[:, 50:] == 0).all() and np.abs(image - ATTENUATION)[:, :50].max() < 3e-3


def test_an_accepted_raw_image_is_shown_as_its_header_says(tmp_path):
    image = read_mammogram(raw(tmp_path, COUNTS, WindowCenter=4000, WindowWidth=8000), for_processing=Policy.ACCEPT)
    assert np.abs(image.pixels - ((COUNTS - 3999.5) / 7999 + 0.5).clip(0, 1)).max() < 1e-6
    assert image.meta.attributes['for_processing'] is True


def test_otherwise_it_is_refused(tmp_path):
    with pytest.raises(NotForPresentation, match='FOR PROCESSING'):
        read_mammogram(raw(tmp_path, COUNTS))


def test_the_policy_changes_nothing_for_other_files(tmp_path):
    path = save_dicom(make_dicom(COUNTS), tmp_path / 'a.dcm')
    plain, mended = read_mammogram(path), read_mammogram(path, for_processing=Policy.MEND)
    assert np.array_equal(plain.pixels, mended.pixels) and 'for_processing' not in mended.meta.attributes
