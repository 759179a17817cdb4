"""One source file to one prepared image: orientation, geometry, warnings, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset

from mmmammo.anatomy import LandmarkError, detect_landmarks
from mmmammo.datasets.four_view_dataset import four_views
from mmmammo.datasets.mammogram_dataset import image_record
from mmmammo.io import read_mammogram
from mmmammo.prepare import PrepareOptions, prepare_image
from mmmammo.structures import Affine, BreastLandmarks, Finding, ImageRecord, Laterality, MammoError, View
from mmmammo.testing.raw_files import SIZE, draw_breast, write_dicom, write_png

HEIGHT, WIDTH = SIZE
BOX = (40.25, 100.5, 70.75, 130.125)  # in a left breast
KEEP = PrepareOptions(crop=False)


def record_of(path, laterality='L', view='CC', **values):
    defaults = {'exam_id': 'e', 'patient_id': 'p', 'laterality': Laterality(laterality), 'view': View(view)}
    return ImageRecord(path=path, relative_path=path.name, **(defaults | values))


def png_record(tmp_path, laterality='L', view='CC', drawn=None, **values):
    path = write_png(tmp_path / f'{laterality}_{view}.png', draw_breast(drawn or laterality))
    return record_of(path, laterality, view, **values)


def mass(box=BOX, **values):
    return Finding(box, 'mass', **values)


def test_a_left_breast_keeps_its_pixels_bit_by_bit(tmp_path):
    prepared = prepare_image(png_record(tmp_path), KEEP)
    assert prepared.image.affine == Affine.identity()
    assert np.array_equal(np.round(prepared.pixels * 4095).astype(int), draw_breast('L'))
    assert prepared.pixels.dtype == np.float32 and prepared.pixels.flags['C_CONTIGUOUS']


def test_a_right_breast_is_mirrored_and_the_affine_says_so(tmp_path):
    box = (WIDTH - BOX[2], BOX[1], WIDTH - BOX[0], BOX[3])
    prepared = prepare_image(png_record(tmp_path, 'R', findings=(mass(box),)), KEEP)
    assert prepared.image.affine.is_mirrored and prepared.image.laterality is Laterality.RIGHT
    assert np.array_equal(np.round(prepared.pixels * 4095).astype(int), draw_breast('L'))
    assert prepared.image.findings[0].bbox == pytest.approx(BOX, abs=1e-9)
    assert prepared.quality.status == 'accepted' and prepared.quality.reason == ''


@pytest.mark.parametrize('laterality', ['L', 'R'])
@pytest.mark.parametrize('height', [None, 128, 173])
def test_boxes_and_outlines_come_back_to_source_pixels(tmp_path, laterality, height):
    outline = np.array([[BOX[0], BOX[1]], [BOX[2], 110.0], [50.0, BOX[3]]])
    to_source = Affine.mirror(WIDTH) if laterality == 'R' else Affine.identity()
    box = tuple(to_source.boxes(BOX).tolist())
    finding = mass(box, polygons=(to_source.points(outline),))
    prepared = prepare_image(png_record(tmp_path, laterality, findings=(finding,)), PrepareOptions(height))
    back, found = prepared.image.affine.inverse(), prepared.image.findings[0]
    assert np.abs(back.boxes(found.bbox) - box).max() < 1e-6
    assert np.abs(back.points(found.polygons[0]) - finding.polygons[0]).max() < 1e-6
    x1, y1, x2, y2 = found.bbox
    assert 0 <= x1 < x2 <= prepared.image.width and 0 <= y1 < y2 <= prepared.image.height


def test_what_a_box_holds_stays_in_it(tmp_path):
    pixels = draw_breast('R')
    pixels[110:120, 130:140] = 4095
    path = write_png(tmp_path / 'a.png', pixels)
    record = record_of(path, 'R', findings=(mass((130, 110, 140, 120)),))
    prepared = prepare_image(record, PrepareOptions(height=128))
    x1, y1, x2, y2 = (round(v) for v in prepared.image.findings[0].bbox)
    assert prepared.pixels[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1].min() > 0.98
    assert prepared.pixels[y1 - 3, x1 - 3] < 0.9


def test_the_crop_has_the_chest_wall_on_its_left_edge(tmp_path):
    prepared = prepare_image(png_record(tmp_path, 'R'), PrepareOptions())
    assert prepared.image.width < WIDTH and prepared.image.height < HEIGHT
    middle = prepared.image.height // 2
    assert prepared.pixels[middle, 0] > 0.3 and prepared.pixels[middle, -1] == 0
    assert prepared.pixels.shape == (prepared.image.height, prepared.image.width)


def test_a_crop_that_would_cut_a_finding_is_not_made(tmp_path):
    corner = mass((WIDTH - 12, 2, WIDTH - 2, 12))
    prepared = prepare_image(png_record(tmp_path, findings=(corner,)), PrepareOptions())
    assert (prepared.image.height, prepared.image.width) == SIZE
    assert prepared.image.findings[0].bbox == corner.bbox


@pytest.mark.parametrize(('height', 'factor'), [(None, 1), (128, 2), (64, 4), (512, 1)])
def test_pixel_spacing_follows_the_scale_and_nothing_is_enlarged(tmp_path, height, factor):
    path = write_dicom(tmp_path / 'a.dcm', draw_breast(), ImagerPixelSpacing=[0.1, 0.1])
    image = prepare_image(record_of(path), PrepareOptions(height, crop=False)).image
    assert image.pixel_spacing_mm == pytest.approx(0.1 * factor)
    assert (image.height, image.width) == (HEIGHT // factor, WIDTH // factor)


def test_no_spacing_stays_unknown(tmp_path):
    assert prepare_image(png_record(tmp_path), PrepareOptions(128)).image.pixel_spacing_mm is None


def test_side_and_view_come_from_the_file_where_the_source_is_silent(tmp_path):
    path = write_dicom(tmp_path / 'a.dcm', draw_breast('R'), ImageLaterality='R', ViewPosition='MLO')
    image = prepare_image(record_of(path, 'U', 'UNKNOWN'), PrepareOptions()).image
    assert (image.laterality, image.view) == (Laterality.RIGHT, View.MLO)


def test_the_tables_win_over_the_file_and_it_is_told(tmp_path):
    path = write_dicom(tmp_path / 'a.dcm', draw_breast('L'), ImageLaterality='R', ViewPosition='MLO')
    prepared = prepare_image(record_of(path, 'L', 'CC'), PrepareOptions())
    assert (prepared.image.laterality, prepared.image.view) == (Laterality.LEFT, View.CC)
    assert 'laterality is L in the tables of the source, R in the file' in prepared.quality.warnings
    assert 'view is CC in the tables of the source, MLO in the file' in prepared.quality.warnings


@pytest.mark.parametrize('drawn', ['L', 'R'])
def test_an_unknown_side_is_oriented_by_the_pixels_and_stays_unknown(tmp_path, drawn):
    path = write_png(tmp_path / 'image.png', draw_breast(drawn))
    prepared = prepare_image(record_of(path, 'U'), KEEP)
    assert prepared.image.laterality is Laterality.UNKNOWN
    assert prepared.image.affine.is_mirrored == (drawn == 'R')
    assert prepared.quality.status == 'accepted'
    assert 'unknown laterality: oriented by the pixels, not paired' in prepared.quality.warnings


def test_an_unknown_view_is_accepted_without_landmarks(tmp_path):
    path = write_png(tmp_path / 'image.png', draw_breast())
    prepared = prepare_image(record_of(path, 'L', 'UNKNOWN'), PrepareOptions())
    assert prepared.image.view is View.UNKNOWN and prepared.image.landmarks is None
    assert 'unknown view: not paired' in prepared.quality.warnings
    assert 'no landmarks' in prepared.quality.warnings
    assert prepared.quality.landmark_confidence is None


def test_a_mirrored_file_is_mended_by_the_pixels(tmp_path):
    prepared = prepare_image(png_record(tmp_path, 'R', drawn='L'), KEEP)
    assert prepared.image.laterality is Laterality.RIGHT and not prepared.image.affine.is_mirrored
    assert prepared.quality.status == 'mended'
    assert prepared.quality.reason == 'laterality R, but the chest wall is on the left edge: oriented by the pixels'


def test_a_mirrored_file_is_taken_at_its_word_if_wanted(tmp_path):
    prepared = prepare_image(
        png_record(tmp_path, 'R', drawn='L'), PrepareOptions(crop=False, policies={'laterality': 'accept'})
    )
    assert prepared.image.affine.is_mirrored and prepared.quality.status == 'accepted'
    assert prepared.quality.warnings.startswith('laterality: R, but the chest wall is on the left edge')


def test_a_mirrored_file_is_quarantined_if_wanted(tmp_path):
    with pytest.raises(
        MammoError, match=r'laterality: found R, but the chest wall is on the left edge.*--policy laterality=mend'
    ):
        prepare_image(png_record(tmp_path, 'R', drawn='L'), PrepareOptions(policies={'laterality': 'quarantine'}))


def test_landmarks_are_found_in_prepared_pixels(tmp_path):
    landmarks = prepare_image(png_record(tmp_path, 'R'), PrepareOptions(height=128)).image.landmarks
    assert set(landmarks.found_by) == {'contour', 'nipple', 'pectoral_line'}
    tip = prepare_image(png_record(tmp_path, 'R'), PrepareOptions(height=128)).image.affine.points([0.2 * WIDTH, 128])
    assert np.abs(landmarks.nipple - tip).max() < 6


def test_landmarks_may_be_found_by_the_papers_recipe(tmp_path):
    options = PrepareOptions(height=128, landmarks='paper')
    prepared = prepare_image(png_record(tmp_path, 'R', 'MLO'), options).image
    whole = read_mammogram(tmp_path / 'R_MLO.png').pixels
    meant = detect_landmarks(whole, 'R', 'MLO', method='paper').transformed(prepared.affine)
    assert prepared.landmarks.nipple == pytest.approx(meant.nipple, abs=1e-6)
    assert prepared.landmarks.pectoral_line == pytest.approx(meant.pectoral_line, abs=1e-6)


def test_true_landmarks_go_through_mirror_crop_and_scale(tmp_path):
    truth = BreastLandmarks(
        contour=np.array([[WIDTH, 30], [40, 128], [WIDTH, 226]]),
        nipple=np.array([40, 128]),
        pectoral_line=np.array([[WIDTH, 30], [WIDTH, 226]]),
    )
    record = png_record(tmp_path, 'R', landmarks=truth)
    image = prepare_image(record, PrepareOptions(height=128, landmarks='truth')).image
    assert image.affine.inverse().points(image.landmarks.nipple) == pytest.approx([40, 128])
    assert image.landmarks.pectoral_line[:, 0] == pytest.approx([0, 0], abs=1e-9)


def test_a_finding_over_the_border_is_clipped_and_told(tmp_path):
    outline = np.array([[-10.0, 100], [30, 100], [30, 120], [-10, 120]])
    finding = mass((-10, 100, 30, 120), polygons=(outline,))
    prepared = prepare_image(png_record(tmp_path, findings=(finding,)), KEEP)
    assert prepared.image.findings[0].bbox == (0, 100, 30, 120)
    assert prepared.image.findings[0].polygons[0].min() == 0
    assert prepared.quality.status == 'mended'
    assert prepared.quality.reason == 'annotation (mass) over the border of the image, 75% of it is inside: clipped'


@pytest.mark.parametrize(
    'box',
    [
        (WIDTH + 1, 10, WIDTH + 9, 20),
        (WIDTH - 3, 10, WIDTH + 9, 20),
        (50, 10, 50, 20),
        (50, 20, 60, 10),
        (float('nan'), 1, 2, 3),
        (0, 0, float('inf'), 9),
    ],
    ids=['outside', 'mostly-outside', 'empty', 'upside-down', 'nan', 'infinite'],
)
def test_a_finding_that_is_not_of_this_image_is_refused(tmp_path, box):
    record = png_record(tmp_path, findings=(mass(), mass(box)))
    with pytest.raises(MammoError, match=r'L_CC\.png: annotation \(mass\), bbox.*a box inside the 200 x 256 image'):
        prepare_image(record, PrepareOptions())


@pytest.mark.parametrize(
    ('pixels', 'words'),
    [
        (np.where(draw_breast() > 0, 255, 0).astype(np.uint8), 'found 2 different grey values.*masks'),
        (np.where(draw_breast() > 0, 4095, draw_breast(seed=1) // 2 + 5 * np.arange(WIDTH)).astype(np.uint16), 'white'),
        (
            np.pad(np.arange(1000, 1020, dtype=np.uint16)[None], ((100, 155), (0, 180))),
            'no region that could be a breast',
        ),
        (np.zeros(SIZE, np.uint16), 'one value everywhere: 0'),
    ],
    ids=['mask', 'saturated', 'scale-bar', 'black'],
)
def test_pixels_that_show_no_breast_are_refused(tmp_path, pixels, words):
    with pytest.raises(MammoError, match=words):
        prepare_image(record_of(write_png(tmp_path / 'L_CC.png', pixels)), PrepareOptions())


def test_eight_bits_are_accepted_with_a_warning(tmp_path):
    path = write_png(tmp_path / 'L_CC.png', (draw_breast() // 16).astype(np.uint8))
    prepared = prepare_image(record_of(path), PrepareOptions())
    assert prepared.quality.bits == 8 and prepared.quality.warnings.startswith('8-bit')


def test_labels_of_the_source_win_over_those_of_the_file(tmp_path):
    tags = {'ManufacturerModelName': 'M1', 'PatientAge': '061Y', 'Manufacturer': 'ACME'}
    path = write_dicom(tmp_path / 'a.dcm', draw_breast(), **tags)
    image = prepare_image(record_of(path, labels={'age': 60, 'cancer': 1}), PrepareOptions()).image
    assert image.labels == {'manufacturer': 'ACME', 'machine': 'M1', 'age': 60, 'cancer': 1}


def test_a_modified_view_comes_after_any_plain_one(tmp_path):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = '399110001', 'SCT', 'tangential'
    plain, tangential = (
        prepare_image(record_of(write_dicom(tmp_path / f'{name}.dcm', draw_breast(), **tags)), PrepareOptions()).image
        for name, tags in (('plain', {}), ('tangential', {'ViewModifierCodeSequence': [code]}))
    )
    assert 'view_modifiers' not in plain.labels and tangential.labels['view_modifiers'] == 'tangential'
    assert plain.quality == plain.landmarks.confidence
    assert tangential.quality == tangential.landmarks.confidence - 1 < 0.0
    views = [image_record(replace(image, view=View.CC), '') for image in (tangential, plain)]
    assert four_views(views) == views[1:] and four_views(views[:1]) == views[:1]


def test_quality_row_describes_the_source(tmp_path):
    path = write_dicom(tmp_path / 'a.dcm', draw_breast(), ImagerPixelSpacing=[0.07, 0.07])
    row = prepare_image(record_of(path), PrepareOptions(height=128)).quality
    assert (row.rows, row.columns, row.bits, row.pixel_spacing_mm) == (HEIGHT, WIDTH, 12, pytest.approx(0.07))
    assert (row.path, row.exam_id, row.laterality, row.view) == ('a.dcm', 'e', 'L', 'CC')


@pytest.mark.parametrize(
    'values',
    [
        {'height': 10},
        {'landmarks': 'drawn'},
        {'scale': 0},
        {'scale': 2},
        {'long_side': 63},
        {'spacing': -0.1},
        {'spacing': float('nan')},
        {'bits': 12},
        {'clahe': 0},
    ],
    ids=str,
)
def test_wrong_options_are_named(values):
    with pytest.raises(MammoError, match=f'{next(iter(values))}: found'):
        PrepareOptions(**values)


def test_two_sizes_exclude_each_other():
    with pytest.raises(MammoError, match=r'height and scale: found several ways .*; expected one of height'):
        PrepareOptions(height=512, scale=0.25)


def test_real_exam_is_oriented_with_its_landmarks(real_data):
    for name in ('L-CC', 'L-MLO', 'R-CC', 'R-MLO'):
        path = real_data / 'exam_0' / f'0_{name}.png'
        image = prepare_image(record_of(path, *name.split('-')), PrepareOptions(height=700)).image
        assert image.affine.is_mirrored == name.startswith('R')
        assert image.landmarks.confidence > 0.5
        assert image.landmarks.nipple[0] > 0.6 * image.width


def test_landmarks_set_by_hand_go_before_those_found(tmp_path):
    nipple = np.array([WIDTH - 61.0, 99.0])
    prepared = prepare_image(png_record(tmp_path, 'R', manual_landmarks={'nipple': nipple}), PrepareOptions(128))
    marks, back = prepared.image.landmarks, prepared.image.affine.inverse()
    np.testing.assert_allclose(back.points(marks.nipple), nipple, atol=1e-6)
    assert marks.found_by['nipple'] == 'manual' and marks.found_by['contour'] != 'manual'


@pytest.mark.parametrize('all_parts', [True, False])
def test_where_no_landmarks_are_found_all_have_to_be_set(tmp_path, monkeypatch, all_parts):
    def none(*_):
        raise LandmarkError('x', field='breast', found='none', expected='one', remedy='')

    monkeypatch.setattr('mmmammo.prepare.image.landmarks_of', none)
    by_hand = {'nipple': [60.0, 99.0], 'contour': [[0, 10], [60, 99], [0, 180]], 'pectoral_line': [[0, 10], [0, 180]]}
    by_hand = {name: np.array(points, float) for name, points in by_hand.items() if all_parts or name == 'nipple'}
    prepared = prepare_image(png_record(tmp_path, manual_landmarks=by_hand), KEEP)
    if all_parts:
        np.testing.assert_allclose(prepared.image.landmarks.nipple, [60, 99])
        assert prepared.image.landmarks.confidence == 1
    else:
        assert prepared.image.landmarks is None and 'landmarks set by hand are not used' in prepared.quality.warnings
