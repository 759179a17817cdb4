"""Masks and cut-outs to findings, decided by content alone."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmmammo.prepare import PrepareOptions, prepare_dataset, prepare_image
from mmmammo.prepare.masks import is_mask, outline_findings, outlines_of
from mmmammo.prepare.template import locate
from mmmammo.structures import ImageRecord, Laterality, MammoError, MaskedFinding, Problem, View
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

SHAPE = (256, 200)
BOX = (40, 100, 70, 130)
CROP = np.s_[92:138, 32:78]


def marked(box=BOX, shape=SHAPE, white=255, kind=np.uint8):
    mask = np.zeros(shape, dtype=kind)
    x1, y1, x2, y2 = box
    mask[y1:y2, x1:x2] = white
    return mask


def area(polygon):
    """Shoelace."""
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@pytest.fixture()
def record(tmp_path):
    """A breast, and where mask and cut-out of its mass should be."""
    path = write_png(tmp_path / 'image.png', draw_breast())
    mass = MaskedFinding((tmp_path / 'mask.png', tmp_path / 'crop.png'), 'mass', 'mass_1', 'benign', '2', {'a': 1})
    return ImageRecord(path, path.name, 'e', 'p', Laterality.LEFT, View.CC, masked=(mass,))


def write(record, mask=None, crop=None):
    for path, pixels in zip(record.masked[0].files, (mask, crop), strict=True):
        if pixels is not None:
            write_png(path, pixels)


def outlined(record):
    return outline_findings(record, np.float32(draw_breast()) / 4095)


def test_the_box_is_exactly_around_the_pixels_and_the_outline_between_them():
    box, (polygon,) = outlines_of(marked() > 0)
    assert box == BOX
    assert (polygon.min(axis=0) == BOX[:2]).all() and (polygon.max(axis=0) == BOX[2:]).all()
    assert area(polygon) == pytest.approx(30 * 30, abs=2)  # the corners are cut by an eighth of a pixel each


def test_an_ellipse_keeps_its_area_with_few_points():
    mask = cv2.ellipse(np.zeros((600, 600), np.uint8), (300, 280), (200, 120), 20, 0, 360, 1, -1) > 0
    _, (polygon,) = outlines_of(mask)
    assert len(polygon) < 400 and area(polygon) == pytest.approx(mask.sum(), rel=0.005)


def test_holes_are_filled():
    mask = marked() > 0
    mask[110:120, 50:60] = False
    assert area(outlines_of(mask)[1][0]) == pytest.approx(900, abs=2)


def test_specks_are_left_out_and_larger_parts_kept():
    mask = marked() | marked((100, 50, 112, 62)) | marked((180, 200, 182, 202))
    box, polygons = outlines_of(mask > 0)
    assert box == (40, 50, 112, 130)
    assert [round(area(polygon)) for polygon in polygons] == pytest.approx([900, 144], abs=2)


def test_parts_that_touch_at_a_corner_are_one():
    mask = marked((10, 10, 20, 20)) | marked((20, 20, 30, 30))
    assert len(outlines_of(mask > 0)[1]) == 1


@pytest.mark.parametrize('scale', [1, 65535 / 255, 1 / 255])
def test_a_mask_is_known_at_any_depth(scale):
    assert is_mask(marked() * scale / 65535, SHAPE)


def test_a_mask_is_known_in_jpeg(tmp_path):
    smooth = cv2.ellipse(np.zeros(SHAPE, np.uint8), (90, 120), (30, 20), 0, 0, 360, 255, -1)
    cv2.imwrite(str(tmp_path / 'm.jpg'), smooth, [cv2.IMWRITE_JPEG_QUALITY, 75])
    decoded = cv2.imread(str(tmp_path / 'm.jpg'), cv2.IMREAD_UNCHANGED)
    assert len(np.unique(decoded)) > 20 and is_mask(decoded / 255, SHAPE)


@pytest.mark.parametrize(
    'other', [draw_breast() / 4095, marked(shape=(120, 90), box=(5, 5, 9, 9)) / 255, np.zeros(SHAPE)]
)
def test_neither_a_grey_image_nor_a_small_one_nor_a_black_one_is_a_mask(other):
    assert not is_mask(other, SHAPE)


@pytest.mark.parametrize('is_swapped', [False, True])
@pytest.mark.parametrize('white', [(255, np.uint8), (65535, np.uint16)])
def test_mask_and_cutout_are_told_by_content(record, is_swapped, white):
    files = (marked(white=white[0], kind=white[1]), draw_breast()[CROP])
    write(record, *(files[::-1] if is_swapped else files))
    result = outlined(record)
    assert result.faults == () and result.findings[0].bbox == BOX
    finding = result.findings[0]
    said = (finding.category, finding.lesion_id, finding.pathology, finding.birads, finding.attributes)
    assert said == ('mass', 'mass_1', 'benign', '2', {'a': 1})


def test_findings_of_the_source_come_first(record):
    write(record, marked())
    box = outlined(record).findings[0]
    both = outline_findings(ImageRecord(**{**vars(record), 'findings': (box,)}), np.float32(draw_breast()) / 4095)
    assert [f.bbox for f in both.findings] == [BOX, BOX] and both.findings[0] is box


def test_a_mask_of_another_size_is_stretched_and_it_is_told(record):
    write(record, marked((20, 50, 35, 65), (128, 100)))
    result = outlined(record)
    assert np.abs(np.subtract(result.findings[0].bbox, BOX)).max() <= 1
    (fault,) = result.faults
    assert fault.problem is Problem.ANNOTATION and '128 x 100 pixels for an image of 256 x 200' in fault.found


def test_a_mask_of_another_shape_is_stretched_by_either_side(record):
    write(record, marked((20, 100, 35, 130), (256, 100)))
    assert np.abs(np.subtract(outlined(record).findings[0].bbox, BOX)).max() <= 1


@pytest.mark.parametrize('mask', [None, np.zeros(SHAPE, np.uint8), marked((0, 0, 200, 250)), draw_breast()[CROP]])
def test_without_a_mask_of_use_the_cutout_gives_the_box(record, mask):
    write(record, mask, draw_breast()[CROP] // 2 + 100)  # also with another window
    result = outlined(record)
    assert result.findings[0].bbox == (32, 92, 78, 138) and result.findings[0].polygons == ()
    assert result.findings[0].attributes == {'a': 1, 'outline': 'box of the cut-out'}
    assert 'no mask' in result.faults[0].found and 'correlation 1.00' in result.faults[0].mended


def test_a_cutout_is_found_though_jpeg_blurred_it(record):
    crop = np.uint8(draw_breast()[60:180, 10:120] / 16)
    _, coded = cv2.imencode('.jpg', crop, [cv2.IMWRITE_JPEG_QUALITY, 70])
    record.masked[0].files[1].write_bytes(coded.tobytes())
    assert outlined(record).findings[0].bbox == (10, 60, 120, 180)


@pytest.mark.parametrize('crop', [None, draw_breast(seed=5)[CROP], np.uint16(np.ones((300, 300)) * 7)])
def test_without_either_the_image_is_refused_with_both_reasons(record, crop):
    write(record, None, crop)
    with pytest.raises(MammoError, match='outline of mass_1: found') as caught:
        outlined(record)
    assert caught.value.problem is Problem.ANNOTATION and 'mask.png: no such file' in str(caught.value)
    assert 'Remedy' in str(caught.value)


def test_a_damaged_mask_is_like_none(record):
    write(record, marked(), draw_breast()[CROP])
    mask = record.masked[0].files[0]
    mask.write_bytes(mask.read_bytes()[:40])
    assert 'mask.png: 40 bytes that cannot be decoded' in outlined(record).faults[0].found


def test_the_outline_follows_the_image(record, tmp_path):
    write(record, marked())
    write_png(record.path, np.ascontiguousarray(draw_breast()[:, ::-1]))  # mirrored after the mask was drawn
    mask = record.masked[0].files[0]
    write_png(mask, np.ascontiguousarray(marked()[:, ::-1]))
    prepared = prepare_image(record, PrepareOptions(crop=False))
    assert prepared.image.findings[0].bbox == pytest.approx(BOX)
    assert prepared.image.affine.is_mirrored and prepared.quality.status == 'mended'


@pytest.mark.parametrize('corner', [(0, 0), (154, 210), (3, 177), (60, 90)])
@pytest.mark.parametrize('side', [(18, 20), (46, 46), (46, 120)])
def test_a_cutout_is_found_wherever_it_was(corner, side):
    image = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    (x, y), (width, height) = corner, side
    x, y = min(x, SHAPE[1] - width), min(y, SHAPE[0] - height)
    place = locate(3 * image[y : y + height, x : x + width] - 2, image)
    assert (place.x, place.y, place.width, place.height) == (x, y, width, height)
    assert place.correlation == pytest.approx(1)


@pytest.mark.parametrize('crop', [np.ones((20, 20)), np.random.default_rng(1).normal(size=(20, 20)), np.eye(300)])
def test_what_is_no_cutout_is_found_nowhere(crop):
    assert locate(crop, np.random.default_rng(0).normal(size=SHAPE)) is None


def test_a_cutout_in_an_image_of_large_even_areas_is_found():
    image = np.zeros(SHAPE, np.float32)
    image[:, :100] = draw_breast()[:, :100]
    assert (place := locate(image[90:130, 20:60], image)) and (place.x, place.y) == (20, 90)


def test_an_image_is_prepared_again_when_its_mask_has_changed(record, tmp_path):
    write_dicom(record.path, draw_breast())
    write(record, marked())

    def prepare():
        with ThreadPoolExecutor(1) as executor:
            values = {'categories': ('mass',), 'source': 's', 'executor': executor}
            prepare_dataset([record], tmp_path / 'out', PrepareOptions(crop=False), **values)
        (index,) = (p for p in (tmp_path / 'out/annotations').iterdir() if '"bbox"' in p.read_text())
        return index.read_text()

    first = prepare()
    write(record, marked((50, 110, 90, 140)))
    second = prepare()
    assert '"bbox": [40.0, 100.0, 30.0, 30.0]' in first and '"bbox": [50.0, 110.0, 40.0, 30.0]' in second
