"""What is refused, by which error, and that the message helps."""

import os

import numpy as np
import pytest
from dicom_factory import code_item, lut_item, make_dicom, save_dicom
from pydicom.data import get_testdata_file
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from mmmammo.io import (
    CorruptFile,
    MammogramError,
    NotAMammogram,
    NotForPresentation,
    UnsupportedPixelData,
    read_mammogram,
    read_meta,
)
from mmmammo.io.elements import shortened

PIXELS = np.arange(4096, dtype='u2').reshape(64, 64)


def refusal(path, error):
    with pytest.raises(error) as caught:
        read_mammogram(path)
    assert isinstance(caught.value, MammogramError)
    assert caught.value.where == str(path)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ('tags', 'error', 'field'),
    [
        ({'Modality': 'CT'}, NotAMammogram, 'Modality (0008,0060)'),
        ({'Modality': 'MR', 'BodyPartExamined': 'BREAST'}, NotAMammogram, 'Modality (0008,0060)'),
        (
            {'Modality': 'DX', 'SOPClassUID': '1.2.840.10008.5.1.4.1.1.1.1', 'BodyPartExamined': 'HAND'},
            NotAMammogram,
            'BodyPartExamined (0018,0015)',
        ),
        (
            {'Modality': 'OT', 'SOPClassUID': None, 'ImageLaterality': None, 'ViewPosition': 'AP'},
            NotAMammogram,
            'BodyPartExamined (0018,0015)',
        ),
        ({'PresentationIntentType': 'FOR PROCESSING'}, NotForPresentation, 'PresentationIntentType (0008,0068)'),
        (
            {'SOPClassUID': '1.2.840.10008.5.1.4.1.1.1.2.1', 'PresentationIntentType': None},
            NotForPresentation,
            'SOPClassUID (0008,0016)',
        ),
        ({'SOPClassUID': '1.2.840.10008.5.1.4.1.1.13.1.3'}, UnsupportedPixelData, 'NumberOfFrames (0028,0008)'),
        ({'NumberOfFrames': 40}, UnsupportedPixelData, 'NumberOfFrames (0028,0008)'),
        ({'PhotometricInterpretation': 'RGB'}, UnsupportedPixelData, 'PhotometricInterpretation (0028,0004)'),
        ({'SamplesPerPixel': 3}, UnsupportedPixelData, 'PhotometricInterpretation (0028,0004)'),
        ({'BitsAllocated': 32}, UnsupportedPixelData, 'BitsAllocated (0028,0100)'),
        ({'Rows': None}, CorruptFile, 'Rows (0028,0010)'),
        ({'Rows': 65}, CorruptFile, 'PixelData (7FE0,0010)'),
        (
            {'PixelPaddingValue': 0, 'PixelPaddingRangeLimit': 4095},
            UnsupportedPixelData,
            'PixelPaddingValue (0028,0120)',
        ),
    ],
)
def test_headers_that_are_refused(tmp_path, tags, error, field):
    path = save_dicom(make_dicom(PIXELS, **tags), tmp_path / 'image.dcm')
    assert refusal(path, error).field == field


@pytest.mark.parametrize(
    'tags',
    [
        {'Modality': 'MG', 'SOPClassUID': '1.2.840.10008.5.1.4.1.1.7'},  # CBIS-DDSM
        {'Modality': 'DX', 'BodyPartExamined': 'BREAST', 'SOPClassUID': '1.2.840.10008.5.1.4.1.1.1.1'},
        {'Modality': None, 'SOPClassUID': None, 'ViewPosition': None},  # RSNA: a side and nothing else
        {'Modality': 'CR', 'SOPClassUID': None, 'ImageLaterality': None},  # a mammographic view
        {'Modality': 'OT', 'ImageLaterality': None, 'ViewPosition': None},  # a mammographic SOP class
        {'SOPClassUID': None, 'ImageLaterality': None, 'ViewPosition': None},
    ],
)
def test_headers_that_are_enough(tmp_path, tags):
    assert read_mammogram(save_dicom(make_dicom(PIXELS, **tags), tmp_path / 'image')).pixels.shape == (64, 64)


def test_anatomic_region_decides_like_the_body_part(tmp_path):
    for code, accepted in (('T-04000', True), ('T-D8700', False)):
        dataset = make_dicom(PIXELS, Modality='CR', SOPClassUID='1.2.840.10008.5.1.4.1.1.1')
        dataset.AnatomicRegionSequence = [code_item(code, 'SRT')]
        path = save_dicom(dataset, tmp_path / code)
        if accepted:
            assert read_meta(path).view == 'CC'
        else:
            refusal(path, NotAMammogram)


@pytest.mark.parametrize('value', ['Doe^Jane', 'jane doe', 'JANE DOE OF SPRINGFIELD', 'Müller'])
@pytest.mark.parametrize(
    ('keyword', 'tags'),
    [
        ('Modality', {}),
        ('BodyPartExamined', {'Modality': 'DX', 'SOPClassUID': None}),
        ('PhotometricInterpretation', {}),
        ('VOILUTFunction', {'WindowCenter': 9, 'WindowWidth': 9}),
        ('SOPClassUID', {'NumberOfFrames': 2}),
    ],
)
def test_a_name_in_the_wrong_place_is_not_repeated(tmp_path, keyword, value, tags):
    path = tmp_path / 'image.dcm'
    save_dicom(make_dicom(PIXELS, **tags | {keyword: value, 'SpecificCharacterSet': 'ISO_IR 192'}), path)
    error = refusal(path, MammogramError)
    assert 'an unexpected value' in error.reason
    assert value not in error.reason and 'DOE' not in error.reason.upper()


def test_codes_are_repeated(tmp_path):
    tags = {'Modality': 'DX', 'SOPClassUID': '1.2.840.10008.5.1.4.1.1.1.1', 'BodyPartExamined': 'LOW_EXTREMITY 2'}
    error = refusal(save_dicom(make_dicom(PIXELS, **tags), tmp_path / 'image.dcm'), NotAMammogram)
    assert error.found == 'LOW_EXTREMITY 2 with modality DX'


def test_what_a_decoder_says_is_kept_short():
    assert shortened('one\n two') == 'one two'
    assert len(shortened('word ' * 100)) == 100 and shortened('word ' * 100).endswith('…')


def test_meta_of_a_raw_image_can_be_read(tmp_path):
    path = save_dicom(make_dicom(PIXELS, PresentationIntentType='FOR PROCESSING'), tmp_path / 'raw')
    assert read_meta(path).attributes['presentation_intent'] == 'FOR PROCESSING'


@pytest.mark.parametrize('syntax', [ImplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize('kept', [0.3, 0.6, 0.99])
def test_truncated_files(tmp_path, syntax, kept):
    path = save_dicom(make_dicom(PIXELS, BitsStored=12), tmp_path / 'image', syntax)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert refusal(path, CorruptFile).where == str(path)


@pytest.mark.parametrize('kept', [0.3, 0.9])
def test_a_file_cut_in_its_header_or_its_pixels_is_to_be_copied_again(tmp_path, kept):
    dataset = make_dicom(PIXELS, BitsStored=12, VOILUTSequence=[lut_item(range(4096))])
    path = save_dicom(dataset, tmp_path / 'image', JPEGLSLossless)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    error = refusal(path, MammogramError)
    assert 'copy the file again' in error.remedy
    assert 'Modality' not in error.field


@pytest.mark.parametrize(
    'content',
    [b'', b'not an image', bytes(200), b'%PDF-1.4' + bytes(300), bytes(128) + b'DICM', b'\x89PNG\r\n\x1a\nbroken'],
    ids=['empty', 'text', 'zeros', 'pdf', 'only_a_preamble', 'broken_png'],
)
def test_files_that_are_nothing(tmp_path, content):
    path = tmp_path / 'file.dcm'
    path.write_bytes(content)
    assert refusal(path, CorruptFile).where == str(path)


def test_paths_that_are_no_files(tmp_path):
    assert 'no such file' in refusal(tmp_path / 'absent.dcm', CorruptFile).found
    refusal(tmp_path, CorruptFile)


def test_the_index_of_a_medium_is_no_mammogram():
    error = refusal(get_testdata_file('DICOMDIR', download=False), NotAMammogram)
    assert 'DICOMDIR' in error.found


def test_missing_pixel_data(tmp_path):
    dataset = make_dicom(PIXELS)
    del dataset.PixelData
    assert refusal(save_dicom(dataset, tmp_path / 'image'), UnsupportedPixelData).found == 'nothing'


def test_one_value_everywhere(tmp_path):
    error = refusal(save_dicom(make_dicom(np.full((4, 4), 7, 'u2')), tmp_path / 'image'), CorruptFile)
    assert error.field == 'PixelData (7FE0,0010)'
    assert error.found == 'one value everywhere: 7'


def test_an_image_of_padding_only_may_be_black(tmp_path):
    dataset = make_dicom(np.zeros((4, 4), 'u2'), PixelPaddingValue=0)
    error = refusal(save_dicom(dataset, tmp_path / 'image'), UnsupportedPixelData)
    assert error.found == 'every pixel is padding'
    assert 'if it is black, leave it out; else correct PixelPaddingValue' in error.remedy


def test_unknown_transfer_syntax_names_the_decoders(tmp_path):
    path = save_dicom(make_dicom(PIXELS), tmp_path / 'image')
    path.write_bytes(path.read_bytes().replace(b'1.2.840.10008.1.2.1\0', b'1.2.840.10008.1.9.9\0'))
    error = refusal(path, UnsupportedPixelData)
    assert error.field == 'TransferSyntaxUID (0002,0010)'
    assert 'pip install' in error.remedy


def test_damaged_headers_end_in_a_named_error_or_an_image(tmp_path):
    generator = np.random.default_rng(5)
    originals = [
        save_dicom(make_dicom(PIXELS, BitsStored=12, WindowCenter='9', WindowWidth='9'), tmp_path / f's{i}', s)
        for i, s in enumerate((ImplicitVRLittleEndian, JPEGLSLossless))
    ]
    path, outcomes = tmp_path / 'damaged', set()
    for original in [file.read_bytes() for file in originals for _ in range(150)]:
        content = bytearray(original)
        for position in generator.integers(132, 700, 3):
            content[position] = generator.integers(256)
        path.write_bytes(content)
        for read in (read_mammogram, read_meta):
            try:
                outcomes.add(type(read(path)).__name__)
            except MammogramError as err:
                outcomes.add(type(err).__name__)
    assert {'Mammogram', 'MammogramMeta', 'CorruptFile'} <= outcomes


@pytest.mark.parametrize('read', [read_mammogram, read_meta])
def test_a_named_pipe_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / 'pipe.dcm')
    with pytest.raises(CorruptFile, match='a named pipe'):
        read(tmp_path / 'pipe.dcm')
