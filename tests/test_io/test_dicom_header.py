"""Which tag wins: side, view, modifiers, spacing, age; and what is never kept."""

import numpy as np
import pytest
from dicom_factory import code_item, make_dicom, save_dicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from mmmammo.io import read_meta
from mmmammo.io.header import age_of, laterality_of, pixel_spacing_of, view_modifiers_of, view_of
from mmmammo.io.view_codes import MODIFIER_CODES, VIEW_CODES
from mmmammo.structures import Laterality, View


def header(**tags):
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ('tags', 'side'),
    [
        ({'ImageLaterality': 'L', 'Laterality': 'R'}, 'L'),
        ({'Laterality': 'R'}, 'R'),
        ({'ImageLaterality': 'B', 'Laterality': 'R'}, 'R'),
        ({'ImageLaterality': '', 'ViewPosition': 'RIGHT CC'}, 'R'),
        ({'BodyPartExamined': 'Left Breast'}, 'L'),
        ({'ImageLaterality': 'B'}, 'U'),
        ({'ViewPosition': 'MLO'}, 'U'),
        ({'SeriesDescription': 'Right breast'}, 'U'),
        ({}, 'U'),
    ],
)
def test_laterality_order(tags, side):
    assert laterality_of(header(**tags)) == side


def test_laterality_of_a_functional_group_and_of_the_anatomic_region():
    groups = header(FrameAnatomySequence=[header(FrameLaterality='R')])
    assert laterality_of(header(SharedFunctionalGroupsSequence=[groups])) is Laterality.RIGHT
    region = code_item('T-04000', 'SRT', AnatomicRegionModifierSequence=[code_item('G-A101', 'SRT')])
    assert laterality_of(header(AnatomicRegionSequence=[region])) is Laterality.LEFT


@pytest.mark.parametrize(
    ('value', 'scheme', 'view'),
    [
        ('399162004', 'SCT', View.CC),
        ('399368009', 'SCT', View.MLO),
        ('R-10242', 'SRT', View.CC),
        ('R-10226', 'SNM3', View.MLO),
        ('R-10224', '99SDM', View.ML),
        ('399196006', 'SCT', View.FB),
        ('R-10242', '99ACME', View.UNKNOWN),
        ('12345', 'SCT', View.UNKNOWN),
    ],
)
def test_view_code(value, scheme, view):
    assert view_of(header(ViewCodeSequence=[code_item(value, scheme)])) is view


def test_view_code_wins_over_view_position():
    sequence = [code_item('399368009')]
    assert view_of(header(ViewCodeSequence=sequence, ViewPosition='CC')) is View.MLO
    assert view_of(header(ViewCodeSequence=[code_item('1', '99ACME')], ViewPosition='CC')) is View.CC


@pytest.mark.parametrize(
    ('tags', 'view'),
    [
        ({'ViewPosition': 'ML'}, View.ML),
        ({'ViewPosition': 'RIGHT CC'}, View.CC),
        ({'ViewPosition': 'rmlo'}, View.MLO),
        ({'ViewPosition': 'ACCESSORY'}, View.UNKNOWN),
        ({'ViewPosition': ''}, View.UNKNOWN),
        ({'PatientOrientation': 'MLO'}, View.MLO),
        ({'PatientOrientation': ['A', 'R']}, View.UNKNOWN),
    ],
)
def test_view_position_is_read_by_words(tags, view):
    assert view_of(header(**tags)) is view


def test_modifiers_in_their_item_beside_it_and_of_unknown_code():
    inside = code_item('399162004', ViewModifierCodeSequence=[code_item('399163009'), code_item('R-102D7', 'SRT')])
    beside = [code_item('X1', '99ACME', meaning='Eklund')]
    dataset = header(ViewCodeSequence=[inside], ViewModifierCodeSequence=beside)
    assert view_modifiers_of(dataset) == ('magnification', 'spot compression', 'eklund')


@pytest.mark.parametrize(('table', 'context'), [(VIEW_CODES, codes.cid4014), (MODIFIER_CODES, codes.cid4015)])
def test_the_code_tables_are_those_of_dicom(table, context):
    for name, code in context.concepts.items():
        retired = [key for key in table if not key.isdigit() and Code(key, 'SRT', '') == code]
        assert len(retired) == 1, name
        assert table[code.value] == table[retired[0]]
    assert len(table) == 2 * len(context.concepts)


@pytest.mark.parametrize(
    ('tags', 'spacing'),
    [
        ({'ImagerPixelSpacing': [0.07, 0.07], 'PixelSpacing': [0.065, 0.065]}, 0.07),
        ({'PixelSpacing': [0.065, 0.065]}, 0.065),
        ({'ImagerPixelSpacing': [0, 0], 'PixelSpacing': [0.065, 0.065]}, 0.065),
        ({'PixelSpacing': [0.1, 0.2]}, None),
        ({}, None),
    ],
)
def test_pixel_spacing(tags, spacing):
    assert pixel_spacing_of(header(**tags)) == pytest.approx(spacing)


def test_pixel_spacing_with_decimal_comma():
    dataset = Dataset()
    dataset.add_new('ImagerPixelSpacing', 'LO', ['0,07', '0,07'])
    assert pixel_spacing_of(dataset) == pytest.approx(0.07)


@pytest.mark.parametrize(
    ('text', 'age'), [('044Y', 44), ('018M', 1.5), ('000Y', None), ('', None), ('Y', None), ('44', None)]
)
def test_age(text, age):
    assert age_of(header(PatientAge=text)) == age


def test_meta_of_a_file_needs_no_pixels(tmp_path):
    dataset = make_dicom(
        np.zeros((2, 2), 'u2'),
        PatientName='Doe^Jane',
        PatientBirthDate='19600102',
        PatientAge='055Y',
        BodyPartThickness='52.5',
        BreastImplantPresent='YES',
        Manufacturer='ACME',
        ManufacturerModelName='Mammo 1',
        BitsStored=12,
    )
    dataset.PixelData = b''
    meta = read_meta(save_dicom(dataset, tmp_path / 'image'))
    assert (meta.laterality, meta.view, meta.bits_stored) == (Laterality.LEFT, View.CC, 12)
    assert (meta.patient_id, meta.manufacturer, meta.model_name) == ('p1', 'ACME', 'Mammo 1')
    facts = {'age': 55, 'body_part_thickness_mm': 52.5, 'implant': True, 'rows': 2, 'modality': 'MG'}
    assert facts.items() <= meta.attributes.items()
    assert 'Doe' not in repr(meta)
    assert '19600102' not in repr(meta)
