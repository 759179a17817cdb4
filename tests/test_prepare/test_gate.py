"""Every problem in a small file of its own, under every policy that makes sense for it."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from mmmammo.io import read_mammogram
from mmmammo.prepare import PrepareOptions, prepare_image
from mmmammo.prepare.gate import looks_inverted
from mmmammo.prepare.policies import POSSIBLE
from mmmammo.structures import Finding, ImageRecord, Laterality, MammoError, Policy, Problem, View
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

BREAST = draw_breast()
COUNTS = (4095 * np.exp(-(BREAST / 1500))).astype(np.uint16)  # what a detector counts behind it; air 4095
CT = {'Modality': 'CT', 'ImageLaterality': None, 'ViewPosition': None}


def code(value):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, 'SCT', 'meaning'
    return item


def view_code(view='399162004', modifier=None):
    item = code(view)
    item.ViewModifierCodeSequence = [code(modifier)] if modifier else []
    return [item]


def with_text(pixels, value=4000):
    """Two strokes in the air, as the letters of a view's name."""
    marked = pixels.copy()
    marked[10:22, 180:183] = marked[10:22, 187:190] = value
    return marked


def recompressed(path, syntax, **tags):
    """Compress with the true depth and write other tags over it."""
    dataset = dcmread(path)
    dataset.compress(syntax)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


def dicom(pixels=BREAST, syntax=None, over=None, **tags):
    def write(folder):
        path = write_dicom(folder / 'x.dcm', pixels, **tags)
        if syntax is not None:
            recompressed(path, syntax, **over)
        return path

    return write


def png(pixels):
    return lambda folder: write_png(folder / 'x.png', pixels)


def renamed(write, name):
    return lambda folder: write(folder).rename(folder / name)


RAW = {'PhotometricInterpretation': 'MONOCHROME1'}
CASES = {
    'raw': (Problem.FOR_PROCESSING, dicom(COUNTS, PresentationIntentType='FOR PROCESSING', **RAW), 'FOR PROCESSING'),
    'raw-sop': (Problem.FOR_PROCESSING, dicom(COUNTS, SOPClassUID='1.2.840.10008.5.1.4.1.1.1.2.1', **RAW), 'FOR|1.2.1'),
    'stack': (Problem.TOMOSYNTHESIS, dicom(np.stack([BREAST] * 2), NumberOfFrames=2), 'NumberOfFrames .*found 2'),
    'tomo-sop': (Problem.TOMOSYNTHESIS, dicom(SOPClassUID='1.2.840.10008.5.1.4.1.1.13.1.3'), 'NumberOfFrames'),
    'slice': (Problem.TOMOSYNTHESIS, dicom(ImageType=['DERIVED', 'PRIMARY', 'TOMO', 'NONE']), 'TOMO'),
    'slice-text': (Problem.TOMOSYNTHESIS, dicom(SeriesDescription='L CC Tomosynthesis Reconstruction'), 'RECONSTR'),
    'c-view': (Problem.SYNTHETIC_2D, dicom(ImageType=['DERIVED', 'PRIMARY', 'TOMO', 'GENERATED_2D']), 'GENERATED_2D'),
    'c-view-text': (Problem.SYNTHETIC_2D, dicom(SeriesDescription='L CC C-View'), 'C-VIEW'),
    'ct': (Problem.MODALITY, dicom(**CT), 'Modality .*CT'),
    'report': (Problem.MODALITY, dicom(Modality='SR', PixelData=None), 'Modality .*SR'),
    'magnified': (Problem.MAGNIFICATION, dicom(ViewCodeSequence=view_code(modifier='399163009')), 'magnification'),
    'spot': (Problem.MAGNIFICATION, dicom(ViewCodeSequence=view_code(modifier='399055006')), 'spot compression'),
    'factor': (Problem.MAGNIFICATION, dicom(EstimatedRadiographicMagnificationFactor=1.8), '1.8'),
    'paddle': (Problem.MAGNIFICATION, dicom(PaddleDescription='10CM MAG'), 'PaddleDescription.*MAG'),
    'position': (Problem.MAGNIFICATION, dicom(ViewPosition='CC MAG'), 'ViewPosition.*MAG'),
    'named-spot': (Problem.MAGNIFICATION, renamed(dicom(), 'R_MLO_SPOT.dcm'), 'name of the file: found SPOT'),
    'named-mag': (Problem.MAGNIFICATION, renamed(png(BREAST), 'L_CC-mag.png'), 'name of the file: found MAG'),
    'specimen': (Problem.SPECIMEN, dicom(ViewCodeSequence=view_code('127457009')), 'tissue specimen'),
    'specimen-text': (Problem.SPECIMEN, dicom(SeriesDescription='SPECIMEN L'), 'SPECIMEN'),
    'stereo': (Problem.STEREO, dicom(ImageType=['ORIGINAL', 'PRIMARY', 'STEREO_PLUS']), 'STEREO'),
    'biopsy': (Problem.STEREO, dicom(PaddleDescription='5CM_BIOPSY'), 'BIOPSY'),
    'implant': (Problem.IMPLANT, dicom(BreastImplantPresent='YES'), 'BreastImplantPresent'),
    'displaced': (Problem.IMPLANT, dicom(ViewCodeSequence=view_code(modifier='399209000')), 'implant displaced'),
    'text': (Problem.BURNED_IN, dicom(with_text(BREAST)), '2 bright marks beside the breast'),
    'text-png': (Problem.BURNED_IN, png(with_text(BREAST)), '2 bright marks beside the breast'),
    'black': (Problem.BLACK, dicom(0 * BREAST), 'one value everywhere: 0'),
    'padding': (Problem.BLACK, dicom(0 * BREAST, PixelPaddingValue=0), 'every pixel is padding'),
    'mask': (Problem.NO_BREAST, png(np.where(BREAST > 0, 255, 0).astype(np.uint8)), '2 different grey values'),
    'bar': (Problem.NO_BREAST, png(np.pad(np.arange(9, 29, dtype='u2')[None], ((99, 156), (0, 180)))), 'no region'),
    'white': (Problem.SATURATED, dicom(np.where(BREAST > 1400, 4095, np.arange(200, dtype='u2'))), 'at full white'),
    'deeper': (Problem.BIT_DEPTH, dicom(BitsStored=10, HighBit=9), '10, but pixels of 12 bits'),
    'j2k': (Problem.BIT_DEPTH, dicom(syntax=JPEG2000Lossless, over={'BitsStored': 16}), '16, but a codestream of 12'),
    'jls': (Problem.BIT_DEPTH, dicom(syntax=JPEGLSLossless, over={'BitsStored': 14}), '14, but a codestream of 12'),
    'window': (Problem.BIT_DEPTH, dicom(BREAST // 16, WindowCenter=2048, WindowWidth=4096), 'WindowWidth.*window for'),
    'mirrored': (Problem.LATERALITY, dicom(draw_breast('R')), 'L, but the chest wall is on the right edge'),
    'cut': (Problem.UNREADABLE, lambda folder: cut(dicom()(folder)), 'PixelData|cut'),
}  # fmt: skip


def cut(path):
    path.write_bytes(path.read_bytes()[:20000])
    return path


def record_of(path, laterality='L', view='UNKNOWN', **values):
    defaults = {'exam_id': 'e', 'patient_id': 'p', 'laterality': Laterality(laterality), 'view': View(view)}
    return ImageRecord(path=path, relative_path=path.name, **(defaults | values))


def prepare(record, problem, policy, **options):
    return prepare_image(record, PrepareOptions(policies={problem: policy}, **options))


@pytest.mark.parametrize('side', ['L', 'R'])
@pytest.mark.parametrize('kind', [np.uint8, np.uint16])
def test_bright_air_is_told(tmp_path, side, kind):
    """MONOCHROME1 saved as it is: air just below white, so that nothing is saturated."""
    plain = (draw_breast(side) // 16).astype(kind)
    said = []
    for name, pixels in (('plain', plain), ('inverted', (240 - plain).astype(kind))):
        path = write_png(tmp_path / f'{name}.png', pixels)
        policies = {Problem.LATERALITY: Policy.ACCEPT}
        prepared = prepare_image(record_of(path, side, 'CC'), PrepareOptions(policies=policies))
        said.append('the air looks bright' in prepared.quality.warnings)
    assert said == [False, True]


def test_real_mammograms_have_dark_air(real_data):
    files = [*real_data.glob('exam_0/0_?-*.png'), *real_data.glob('dicom/ge_*.dcm')]
    images = [read_mammogram(path).pixels for path in files if 'frame' not in path.name]
    assert images
    assert not any(looks_inverted(image) for image in images)
    assert all(looks_inverted(image.max() - image) for image in images)


@pytest.mark.parametrize('name', ['mag.png', 'SPOT_17.png', 'L_CC_image.png'])
def test_other_names_say_nothing_of_magnification(tmp_path, name):
    path = renamed(png(BREAST), name)(tmp_path)
    assert prepare(record_of(path), Problem.MAGNIFICATION, Policy.QUARANTINE).quality.problems == ''


@pytest.mark.parametrize('name', CASES)
def test_a_problem_is_found_and_left_out_with_its_name(tmp_path, name):
    problem, write, words = CASES[name]
    with pytest.raises(MammoError, match=words) as caught:
        prepare(record_of(write(tmp_path)), problem, Policy.QUARANTINE)
    assert caught.value.problem is problem and caught.value.remedy


@pytest.mark.parametrize('name', [name for name, case in CASES.items() if Policy.ACCEPT in POSSIBLE[case[0]]])
def test_an_accepted_problem_is_a_warning(tmp_path, name):
    problem, write, _ = CASES[name]
    prepared = prepare(record_of(write(tmp_path)), problem, Policy.ACCEPT)
    assert prepared.quality.problems == f'{problem}=accept' and prepared.quality.status == 'accepted'
    assert f'{problem}: ' in prepared.quality.warnings and prepared.quality.reason == ''


@pytest.mark.parametrize('name', [name for name, case in CASES.items() if Policy.MEND in POSSIBLE[case[0]]])
def test_a_mended_problem_is_told(tmp_path, name):
    problem, write, _ = CASES[name]
    prepared = prepare(record_of(write(tmp_path)), problem, Policy.MEND)
    assert prepared.quality.problems == f'{problem}=mend' and prepared.quality.status == 'mended'
    assert prepared.quality.reason.startswith(f'{problem} ')


@pytest.mark.parametrize(
    'tags',
    [
        {},
        {'EstimatedRadiographicMagnificationFactor': 1.07, 'BreastImplantPresent': 'NO', 'BurnedInAnnotation': 'NO'},
        {'SeriesDescription': 'L CC VIEW COMBO 2D TOMO POST BIOPSY', 'PaddleDescription': '24X29 CM FLEX'},
        {'ImageType': ['DERIVED', 'PRIMARY', '', 'POST_CONTRAST'], 'WindowCenter': 2048, 'WindowWidth': 4096},
        {'BitsStored': 16, 'HighBit': 15},
    ],
    ids=['plain', 'no', 'words', 'window', 'room-to-spare'],
)
def test_a_plain_mammogram_has_no_problem(tmp_path, tags):
    quality = prepare_image(record_of(write_dicom(tmp_path / 'x.dcm', BREAST, **tags)), PrepareOptions()).quality
    assert (quality.status, quality.problems, quality.reason) == ('accepted', '', '')


@pytest.mark.parametrize('name', ['deeper', 'j2k', 'jls'])
def test_a_wrong_depth_mended_gives_the_pixels_of_a_right_one(tmp_path, name):
    write_dicom(tmp_path / 'right.dcm', BREAST)
    right = prepare_image(record_of(tmp_path / 'right.dcm'), PrepareOptions())
    mended = prepare_image(record_of(CASES[name][1](tmp_path)), PrepareOptions())
    assert np.array_equal(mended.pixels, right.pixels) and mended.quality.bits == 12


def test_a_mended_raw_image_shows_the_attenuation(tmp_path):
    path = CASES['raw'][1](tmp_path)
    pixels = prepare(record_of(path), Problem.FOR_PROCESSING, Policy.MEND, crop=False).pixels
    expected = np.log(4095 / np.maximum(COUNTS, 1)) / np.log(4095 / np.percentile(COUNTS[COUNTS < 4095], 0.1))
    assert np.abs(pixels - expected.clip(0, 1)).max() < 0.01
    accepted = prepare(record_of(path), Problem.FOR_PROCESSING, Policy.ACCEPT, crop=False).pixels
    assert np.abs(accepted - (1 - (COUNTS - COUNTS.min()) / np.ptp(COUNTS))).max() < 1e-5, 'as the header says'


def test_mended_marks_become_the_air_around_them(tmp_path):
    window = {'WindowCenter': 2048, 'WindowWidth': 4096}
    path = write_dicom(tmp_path / 'x.dcm', with_text(BREAST + 100), **window)
    clean = write_dicom(tmp_path / 'clean.dcm', BREAST + 100, **window)
    mended = prepare(record_of(path), Problem.BURNED_IN, Policy.MEND, crop=False)
    untouched = prepare_image(record_of(clean), PrepareOptions(crop=False))
    assert mended.quality.reason == 'burned_in 2 bright marks beside the breast: set to the air around them'
    assert np.abs(mended.pixels - untouched.pixels).max() < 1e-3
    assert untouched.quality.problems == ''


def test_a_mark_in_an_annotation_stays(tmp_path):
    record = record_of(
        write_dicom(tmp_path / 'x.dcm', with_text(BREAST)), findings=(Finding((170, 5, 195, 30), 'mass'),)
    )
    assert prepare(record, Problem.BURNED_IN, Policy.MEND).quality.problems == ''


def test_a_tag_without_a_mark_leaves_nothing_to_mend(tmp_path):
    path = write_dicom(tmp_path / 'x.dcm', BREAST, BurnedInAnnotation='YES')
    quality = prepare(record_of(path), Problem.BURNED_IN, Policy.MEND).quality
    assert (quality.status, quality.problems) == ('accepted', 'burned_in=accept')
    assert 'burned_in: YES, but no mark beside the breast' in quality.warnings


def test_an_implant_that_only_the_tables_know_is_found(tmp_path):
    record = record_of(write_png(tmp_path / 'x.png', BREAST), labels={'implant': 1})
    assert prepare_image(record, PrepareOptions()).quality.problems == 'implant=accept'


def test_what_the_source_put_right_is_mended_or_left_out(tmp_path):
    record = record_of(write_png(tmp_path / 'x.png', BREAST), notes=('view ML read as MLO',))
    quality = prepare_image(record, PrepareOptions()).quality
    assert (quality.status, quality.problems) == ('mended', 'tables=mend')
    assert quality.reason == 'tables view ML read as MLO'
    with pytest.raises(MammoError, match='view ML read as MLO') as caught:
        prepare(record, Problem.TABLES, Policy.QUARANTINE)
    assert caught.value.problem is Problem.TABLES


def test_an_annotation_over_the_border_may_be_left_out(tmp_path):
    record = record_of(write_png(tmp_path / 'x.png', BREAST), findings=(Finding((-10, 100, 30, 120), 'mass'),))
    with pytest.raises(MammoError, match=r'over the border.*, 75% of it is inside.*--policy annotation=mend') as caught:
        prepare(record, Problem.ANNOTATION, Policy.QUARANTINE)
    assert caught.value.problem is Problem.ANNOTATION


def test_an_annotation_outside_is_left_out_under_any_policy(tmp_path):
    record = record_of(write_png(tmp_path / 'x.png', BREAST), findings=(Finding((500, 100, 530, 120), 'mass'),))
    with pytest.raises(MammoError, match='a box inside') as caught:
        prepare(record, Problem.ANNOTATION, Policy.MEND)
    assert caught.value.problem is Problem.ANNOTATION and '--policy' not in str(caught.value)


def test_several_problems_are_all_named(tmp_path):
    path = write_dicom(tmp_path / 'x.dcm', with_text(draw_breast('R')[:, ::-1]), BreastImplantPresent='YES')
    quality = prepare_image(record_of(path, 'R'), PrepareOptions()).quality
    assert quality.problems == 'implant=accept; burned_in=accept; laterality=mend' and quality.status == 'mended'


def test_descriptions_are_not_repeated(tmp_path):
    path = write_dicom(tmp_path / 'x.dcm', BREAST, SeriesDescription='Jane Doe SPOT')
    with pytest.raises(MammoError) as caught:
        prepare_image(record_of(path), PrepareOptions())
    assert 'Jane' not in str(caught.value) and 'found SPOT' in str(caught.value)


def test_a_codestream_with_room_to_spare_is_no_problem(tmp_path):
    path = write_dicom(tmp_path / 'x.dcm', BREAST, BitsStored=16, HighBit=15)
    recompressed(path, JPEG2000Lossless, BitsStored=12, HighBit=11)
    assert prepare_image(record_of(path), PrepareOptions()).quality.problems == ''


def test_a_real_file_has_no_problem(real_data):
    record = record_of(real_data / 'dicom/ge_senographe_r_mlo.dcm', 'R', 'MLO')
    assert prepare_image(record, PrepareOptions(height=700)).quality.problems == ''
