"""Which tag wins: side, view, modifiers, spacing, age; and what is never kept."""

import numpy as np
import pytest
from dicom_factory import code_item, make_dicom, nested, save_dicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from mmmammo.io import CorruptFile, read_mammogram, read_meta
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
    assert view_modifiers_of(dataset) == ('magnification', 'spot compression', 'other modifier X1')


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


@pytest.mark.parametrize(
    ('code', 'meaning', 'expected'),
    [
        ('X-1', 'Repeat for DOE^JANE', ('other modifier X-1',)),
        ('DOE', 'Repeat for DOE^JANE', ('other modifier',)),
        ('X-1', 'Magnification', ('magnification',)),
        ('', 'Jane', ('other modifier',)),
        ('', '', ()),
    ],
)
def test_the_free_text_of_a_modifier_is_not_kept(code, meaning, expected):
    dataset = header(ViewModifierCodeSequence=[code_item(code, '99LOCAL', meaning)])
    assert view_modifiers_of(dataset) == expected


@pytest.mark.parametrize(('tag', 'before'), [(b'\x08\0\x70\0', b'\x10\0\x20\0'), (b'\x18\0\xa0\x11', b'\x20\0\x0d\0')])
def test_a_sequence_nested_without_end_is_no_text(tmp_path, tag, before):
    path = save_dicom(make_dicom(np.zeros((8, 8), np.uint16)), tmp_path / 'a.dcm')
    whole = path.read_bytes()
    place = whole.index(before + b'LO' if before[0] == 0x10 else before + b'UI')
    path.write_bytes(whole[:place] + nested(2000, tag) + whole[place:])
    meta = read_meta(path)
    assert meta.laterality is Laterality.LEFT and meta.manufacturer is None
    assert 'body_part_thickness_mm' not in meta.attributes


def test_digits_that_are_none_are_no_age(tmp_path):
    path = save_dicom(make_dicom(np.zeros((8, 8), np.uint16), PatientAge='062Y'), tmp_path / 'a.dcm')
    path.write_bytes(path.read_bytes().replace(b'062Y', b'0\xb2\xb2Y'))
    assert 'age' not in read_meta(path).attributes


def test_a_header_that_nobody_foresaw_costs_one_file_and_tells_no_value(tmp_path, monkeypatch):
    path = save_dicom(make_dicom(np.zeros((8, 8), np.uint16)), tmp_path / 'a.dcm')

    def fail(dataset):
        raise ValueError('DOE^JANE')

    monkeypatch.setattr('mmmammo.io.dicom.meta_of', fail)
    for read in (read_meta, read_mammogram):
        with pytest.raises(CorruptFile, match=r'header: found a value of another kind .* \(ValueError\)') as raised:
            read(path)
        assert 'DOE' not in str(raised.value)
