"""Sizes, muscle, equalisation and depth: what each does to pixels, affine, spacing and landmarks."""

import json

import cv2
import numpy as np
import pytest

from mmmammo.anatomy import LandmarkError, detect_landmarks, pseudo_landmarks
from mmmammo.io import read_mammogram
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.exam import make_exam
from mmmammo.prepare import PrepareOptions, prepare_image
from mmmammo.prepare.contours import thinned
from mmmammo.preprocessing import remove_pectoral
from mmmammo.preprocessing.clahe import clahe
from mmmammo.preprocessing.rsna_recipe import rsna_box, rsna_muscle
from mmmammo.structures import BreastLandmarks, Finding, ImageRecord, Laterality, MammoError, View
from mmmammo.testing.raw_files import SIZE, draw_breast, write_dicom

HEIGHT, WIDTH = SIZE
LINE = [[0.0, 60.0], [60.0, 0.0]]  # of the muscle; x + y < 60 is behind it


def record_of(tmp_path, view='CC', spacing=0.1, **values):
    tags = {} if spacing is None else {'ImagerPixelSpacing': [spacing, spacing]}
    tags['ViewPosition'] = None if view == 'UNKNOWN' else view
    path = write_dicom(tmp_path / 'x.dcm', draw_breast() + 500, WindowCenter=2048, WindowWidth=4096, **tags)
    defaults = {'exam_id': 'e', 'patient_id': 'p', 'laterality': Laterality.LEFT, 'view': View(view)}
    return ImageRecord(path=path, relative_path=path.name, **(defaults | values))


@pytest.mark.parametrize(
    ('options', 'size'),
    [
        ({'scale': 0.25}, (64, 50)),
        ({'scale': 1.0}, SIZE),
        ({'height': 128}, (128, 100)),
        ({'long_side': 64}, (64, 50)),
        ({'long_side': 1000}, SIZE),
        ({'spacing': 0.2}, (128, 100)),
        ({'spacing': 0.05}, SIZE),
    ],
    ids=str,
)
def test_sizes_affine_and_spacing_agree(tmp_path, options, size):
    prepared = prepare_image(record_of(tmp_path), PrepareOptions(crop=False, **options))
    image = prepared.image
    assert prepared.pixels.shape == (image.height, image.width) == size
    assert image.affine.boxes((0, 0, WIDTH, HEIGHT)) == pytest.approx((0, 0, image.width, image.height))
    assert image.pixel_spacing_mm == pytest.approx(0.1 * HEIGHT / size[0])


def test_the_long_side_is_that_of_the_crop(tmp_path):
    image = prepare_image(record_of(tmp_path), PrepareOptions(long_side=100)).image
    assert max(image.height, image.width) == 100
    whole = prepare_image(record_of(tmp_path), PrepareOptions()).image
    assert abs(image.width / image.height - whole.width / whole.height) < 0.02


@pytest.mark.parametrize(('wanted', 'warned'), [(0.07, True), (0.0999, False), (0.1, False), (0.2, False)])
def test_files_coarser_than_the_spacing_of_the_set_are_told(tmp_path, wanted, warned):
    warnings = prepare_image(record_of(tmp_path), PrepareOptions(spacing=wanted)).quality.warnings
    assert (f'pixels of 0.1 mm are not enlarged to the {wanted:g} mm of the set' in warnings) == warned


def test_a_wanted_spacing_needs_that_of_the_source(tmp_path):
    record = record_of(tmp_path, spacing=None)
    with pytest.raises(MammoError, match=r'pixel spacing: found none.*--height, --scale or --long-side'):
        prepare_image(record, PrepareOptions(spacing=0.2))


def test_the_spacing_may_be_known_to_the_source_only(tmp_path):
    record = record_of(tmp_path, spacing=None, pixel_spacing_mm=0.05)
    prepared = prepare_image(record, PrepareOptions(spacing=0.2, crop=False))
    assert prepared.image.height == HEIGHT // 4 and prepared.image.pixel_spacing_mm == pytest.approx(0.2)
    assert prepared.quality.pixel_spacing_mm == 0.05


def oblique(tmp_path, **values):
    """An MLO view with known landmarks."""
    landmarks = BreastLandmarks(
        contour=np.array([[0.0, 0.0], [60, 0], [160, 128], [0, 230]]), nipple=np.array([160.0, 128]), pectoral_line=LINE
    )
    return record_of(tmp_path, 'MLO', landmarks=landmarks, **values)


MUSCLE = {'crop': False, 'landmarks': 'truth', 'remove_pectoral': True}


def test_the_muscle_of_an_oblique_view_is_blanked(tmp_path):
    record = oblique(tmp_path)
    prepared = prepare_image(record, PrepareOptions(**MUSCLE))
    plain = prepare_image(record, PrepareOptions(**MUSCLE | {'remove_pectoral': False}))
    assert np.array_equal(prepared.pixels, remove_pectoral(plain.pixels, record.landmarks))
    assert prepared.pixels[20, 20] == 0 < plain.pixels[20, 20] and prepared.pixels[128, 40] == plain.pixels[128, 40]
    assert plain.quality.warnings == prepared.quality.warnings == ''


def triangle():
    """An oblique left breast, and where its muscle is: behind the line from (150, 0) to (0, 260)."""
    y, x = np.mgrid[:512, :400] + 0.5
    breast = np.hypot(x / 300, (y - 270) / 235) <= 1
    muscle = (x / 150 + y / 260 < 1) & breast
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(size=breast.shape), (0, 0), 3)
    tissue = np.where(muscle, 0.75 + 0.1 * texture, 0.35 + 0.3 * texture)
    image = cv2.GaussianBlur(np.where(breast, tissue, 0).clip(0, 1).astype(np.float32), (0, 0), 1)
    return image, breast, muscle


@pytest.mark.parametrize('side', ['L', 'R'])
def test_a_muscle_that_was_found_is_the_one_that_is_there(side):
    image, breast, muscle = triangle()
    if side == 'R':
        image, breast, muscle = (np.ascontiguousarray(part[:, ::-1]) for part in (image, breast, muscle))
    blanked = (remove_pectoral(image, detect_landmarks(image, side, 'MLO'), fill=-1) < 0) & breast
    assert (blanked & muscle).sum() / (blanked | muscle).sum() > 0.97


def test_without_landmarks_the_image_stays_as_it_is(tmp_path, monkeypatch):
    def fail(*_):
        raise LandmarkError('image', field='contour', found='none', expected='a breast', remedy='look at it')

    monkeypatch.setattr('mmmammo.prepare.image.landmarks_of', fail)
    record = record_of(tmp_path, 'MLO')
    prepared = prepare_image(record, PrepareOptions(crop=False, remove_pectoral=True))
    assert np.array_equal(prepared.pixels, prepare_image(record, PrepareOptions(crop=False)).pixels)
    assert 'pectoral muscle not removed: no landmarks' in prepared.quality.warnings


def test_the_muscle_may_be_filled_with_a_grey(tmp_path):
    record, grey = oblique(tmp_path), 114 / 255
    filled = prepare_image(record, PrepareOptions(**MUSCLE, pectoral_fill=grey))
    blanked = prepare_image(record, PrepareOptions(**MUSCLE))
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    assert (filled.pixels[x + y < 60] == np.float32(grey)).all()
    assert np.array_equal(filled.pixels[x + y > 60], blanked.pixels[x + y > 60])


@pytest.mark.parametrize('options', [dict(pectoral_fill=0.4), dict(remove_pectoral=True, pectoral_fill=114)])
def test_a_fill_that_cannot_be_is_refused(options):
    with pytest.raises(MammoError, match=r'pectoral_fill.*a grey from 0 to 1, with remove_pectoral'):
        PrepareOptions(**options)


RSNA = {'remove_pectoral': True, 'crop_method': 'rsna', 'pectoral_method': 'rsna'}


def files_of_triangle(tmp_path, side):
    image = triangle()[0]
    stored = np.round(cv2.resize(image, None, fx=4, fy=4).clip(0, 1) * 4000).astype(np.uint16)
    path = write_dicom(
        tmp_path / 'x.dcm', stored[:, ::-1] if side == 'R' else stored, ViewPosition='MLO', ImageLaterality=side
    )
    return ImageRecord(
        path=path, relative_path='x.dcm', exam_id='e', patient_id='p', laterality=Laterality(side), view=View.MLO
    )


@pytest.mark.parametrize('side', ['L', 'R'])
def test_crop_and_muscle_by_the_recipe_of_paper_2(tmp_path, side):
    record = files_of_triangle(tmp_path, side)
    whole = prepare_image(record, PrepareOptions(crop=False, voi=False)).pixels  # chest wall on the left
    x1, y1, x2, y2 = rsna_box(whole if side == 'L' else whole[:, ::-1])
    expected = whole[y1:y2, x1:x2] if side == 'L' else whole[y1:y2, whole.shape[1] - x2 : whole.shape[1] - x1]
    prepared = prepare_image(record, PrepareOptions(**RSNA, voi=False, pectoral_fill=0.25))
    muscle = rsna_muscle(expected)
    assert 0.05 < muscle.mean() < 0.2
    np.testing.assert_array_equal(prepared.pixels, np.where(muscle, np.float32(0.25), expected))
    corner = prepared.image.affine.points(np.array([[x1 if side == 'L' else x2, y1]], dtype=float))
    np.testing.assert_allclose(corner, [[0, 0]], atol=1e-9)


def test_an_image_without_a_line_of_the_recipe_stays(tmp_path, monkeypatch):
    monkeypatch.setattr('mmmammo.prepare.draft.rsna_muscle', lambda _: None)
    record = record_of(tmp_path, 'MLO')
    prepared = prepare_image(record, PrepareOptions(crop=False, remove_pectoral=True, pectoral_method='rsna'))
    assert np.array_equal(prepared.pixels, prepare_image(record, PrepareOptions(crop=False)).pixels)
    assert 'pectoral muscle not removed: no line by the recipe of paper 2' in prepared.quality.warnings


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'crop_method': 'best'}, 'crop_method: found best; expected one of mask, rsna'),
        ({'crop_method': 'rsna', 'crop': False}, 'crop_method.*the latter with crop'),
        ({'pectoral_method': 'rsna'}, 'pectoral_method.*the latter with remove_pectoral'),
        ({'crop_method': 'rsna', 'coarse_jpeg2000': True, 'height': 512}, 'coarse_jpeg2000.*the full resolution'),
    ],
    ids=str,
)
def test_methods_that_cannot_be_are_refused(options, message):
    with pytest.raises(MammoError, match=message):
        PrepareOptions(**options)


def test_without_window_the_range_of_the_values_is_shown(tmp_path):
    stored = draw_breast() + 500
    plain = prepare_image(record_of(tmp_path), PrepareOptions(crop=False, voi=False))
    literal = (stored - stored.min()) / (stored.max() - stored.min())
    np.testing.assert_allclose(plain.pixels, literal, atol=1e-6)
    assert plain.quality.status == 'accepted' and plain.quality.problems == ''
    windowed = prepare_image(record_of(tmp_path), PrepareOptions(crop=False))
    assert np.abs(windowed.pixels - literal).max() > 0.05


def test_monochrome1_is_the_negative_of_its_twin(tmp_path):
    stored = draw_breast() + 500
    twins = [
        read_mammogram(
            write_dicom(tmp_path / f'{kind}.dcm', stored, PhotometricInterpretation=kind, WindowWidth=None),
            use_voi=False,
        )
        for kind in ('MONOCHROME1', 'MONOCHROME2')
    ]
    white, black = (np.round(twin.pixels * 255) for twin in twins)
    assert np.abs(white - (255 - black)).max() <= 1  # a half may be rounded either way


@pytest.mark.parametrize(('side', 'quarter'), [(250, 62), (254, 64), (251, 63), (256, 64)])
def test_a_quarter_of_a_side_is_rounded_to_even_as_opencv_does(tmp_path, side, quarter):
    path = write_dicom(tmp_path / 'y.dcm', draw_breast()[:side] + 500, WindowWidth=None)
    record = ImageRecord(path, path.name, 'e', 'p', laterality=Laterality.LEFT, view=View('CC'))
    assert prepare_image(record, PrepareOptions(crop=False, scale=0.25)).pixels.shape == (quarter, WIDTH // 4)
    assert cv2.resize(np.zeros((side, 8)), None, fx=0.25, fy=0.25).shape[0] == quarter


def test_a_finding_in_the_muscle_keeps_it(tmp_path):
    record = oblique(tmp_path, findings=(Finding((15, 15, 25, 25), 'mass'),))
    prepared = prepare_image(record, PrepareOptions(**MUSCLE))
    assert prepared.pixels[20, 20] > 0
    assert 'pectoral muscle not removed: an annotation reaches into it' in prepared.quality.warnings


@pytest.mark.parametrize(('view', 'warning'), [('CC', ''), ('UNKNOWN', 'unknown view: no pectoral muscle removed')])
def test_other_views_keep_their_pixels(tmp_path, view, warning):
    record = record_of(tmp_path, view)
    prepared = prepare_image(record, PrepareOptions(crop=False, remove_pectoral=True))
    assert np.array_equal(prepared.pixels, prepare_image(record, PrepareOptions(crop=False)).pixels)
    assert warning in prepared.quality.warnings


def test_equalisation_is_baked_in_only_if_asked_for_and_after_scaling(tmp_path):
    record = record_of(tmp_path)
    plain = prepare_image(record, PrepareOptions(scale=0.5)).pixels
    equalised = prepare_image(record, PrepareOptions(scale=0.5, clahe=2.0)).pixels
    assert np.array_equal(equalised, clahe(plain, 2.0, 8)) and not np.array_equal(equalised, plain)


def test_a_contour_keeps_its_shape_with_fewer_points(tmp_path):
    for view in make_exam(PhantomConfig(height=512), 3, 0).views:
        landmarks = view.landmarks
        thin = thinned(landmarks.contour)
        assert len(thin) <= 0.4 * len(landmarks.contour)
        assert max(_distance(point, thin) for point in landmarks.contour) < 0.5
        if view.laterality is Laterality.LEFT:
            nodes = [
                pseudo_landmarks(BreastLandmarks(line, landmarks.nipple, landmarks.pectoral_line), view.view, number)
                for line in (landmarks.contour, thin)
                for number in [13 if view.view is View.CC else 17]
            ]
            assert np.abs(nodes[0] - nodes[1]).max() < 0.7


def _distance(point, outline):
    """From a point to a closed polygon."""
    start, end = outline, np.roll(outline, -1, axis=0)
    along = ((point - start) * (end - start)).sum(1) / ((end - start) ** 2).sum(1).clip(1e-12)
    return np.linalg.norm(start + along.clip(0, 1)[:, None] * (end - start) - point, axis=1).min()


def test_landmarks_of_an_image_take_little_room(tmp_path):
    image = prepare_image(record_of(tmp_path), PrepareOptions()).image
    assert len(json.dumps(image.landmarks.to_json())) < 5000
