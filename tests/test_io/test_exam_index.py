"""The annotation file of a prepared set: plain COCO, exact both ways, refused where it is broken."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmmammo.io.exam_index import PreparedSet, check_patient_disjoint, read_index, write_index
from mmmammo.structures import Affine, BreastLandmarks, Finding, Laterality, MammoError, PreparedImage, View

CATEGORIES = ('mass', 'calcification')
OUTLINE = np.array([[10.1, 20.2], [30.3, 20.2], [30.3, 40.4]])
LANDMARKS = BreastLandmarks(
    contour=np.array([[0, 10.25], [70.5, 50], [0, 90]]),
    nipple=np.array([70.5, 50]),
    pectoral_line=np.array([[0, 10], [0, 90]]),
    confidence=0.7,
    part_confidence={'contour': 0.9, 'nipple': 0.7, 'pectoral_line': 0.8},
    found_by={'contour': 'mask', 'nipple': 'protrusion', 'pectoral_line': 'manual'},
)
OUTLINED = Finding(
    bbox=(10.1, 20.2, 30.3, 40.4),
    category='mass',
    lesion_id='e-1',
    pathology='malignant',
    birads='4',
    polygons=(OUTLINE,),
    attributes={'margin': 'spiculated'},
)
BOX_ONLY = Finding(bbox=(0.1, 0.2, 0.3 + 1e-17, 63.7), category='calcification')


def image_of(number=7, patient='p', findings=(OUTLINED, BOX_ONLY), **changes):
    values = {
        'image_id': number,
        'file_name': f'e/{number}.png',
        'width': 80,
        'height': 100,
        'exam_id': 'e',
        'patient_id': patient,
        'laterality': Laterality.RIGHT,
        'view': View.MLO,
        'affine': Affine.scaling(0.3) @ Affine.mirror(301),
        'pixel_spacing_mm': 0.1 / 3,
        'landmarks': LANDMARKS,
        'labels': {'cancer': 1, 'age': 61.5, 'density': 'C'},
        'source': {'path': 'a/b.dcm', 'sha256': '0' * 64},
        'findings': tuple(findings),
    }
    return PreparedImage(**(values | changes))


def written(tmp_path, *images, name='train.json'):
    path = tmp_path / 'annotations' / name
    write_index(path, PreparedSet(images or (image_of(),), CATEGORIES, {'split': 'train', 'source': 'testing'}))
    return path


def spoilt(tmp_path, change):
    path = written(tmp_path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_everything_comes_back_exactly(tmp_path):
    before = image_of()
    prepared_set = read_index(written(tmp_path, before, image_of(8, findings=(), landmarks=None, labels={})))
    after, empty = prepared_set.images
    for key in ('image_id', 'file_name', 'width', 'height', 'exam_id', 'patient_id', 'laterality', 'view'):
        assert getattr(after, key) == getattr(before, key)
    for key in ('affine', 'pixel_spacing_mm', 'labels', 'source'):
        assert getattr(after, key) == getattr(before, key)
    assert [f.bbox for f in after.findings] == [pytest.approx(f.bbox, abs=1e-9) for f in before.findings]
    for key in ('category', 'lesion_id', 'pathology', 'birads', 'attributes'):
        assert [getattr(f, key) for f in after.findings] == [getattr(f, key) for f in before.findings]
    assert np.array_equal(after.findings[0].polygons[0], OUTLINE)
    assert after.findings[1].polygons == ()
    assert np.array_equal(after.landmarks.contour, LANDMARKS.contour)
    assert after.landmarks.part_confidence == LANDMARKS.part_confidence
    assert empty.findings == () and empty.landmarks is None and empty.labels == {}
    assert prepared_set.categories == CATEGORIES
    assert prepared_set.info['split'] == 'train' and prepared_set.info['classes'] == list(CATEGORIES)


def test_boxes_do_not_drift_when_read_and_written_again(tmp_path):
    corners = np.sort(np.random.default_rng(0).uniform(0, [[80], [100]], (500, 2, 2)), axis=2)
    boxes = corners.transpose(0, 2, 1).reshape(-1, 4)
    once = read_index(written(tmp_path, image_of(findings=[Finding(tuple(box), 'mass') for box in boxes])))
    first = np.array([finding.bbox for finding in once.images[0].findings])
    again = read_index(written(tmp_path, *once.images))
    assert np.abs(first - boxes).max() < 1e-9
    assert np.array_equal([finding.bbox for finding in again.images[0].findings], first)


def test_writing_what_was_read_gives_the_same_file(tmp_path):
    path = written(tmp_path)
    write_index(tmp_path / 'again.json', read_index(path))
    assert (tmp_path / 'again.json').read_bytes() == path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ['train.json']


def test_pycocotools_reads_it(tmp_path):
    coco = COCO(written(tmp_path))
    assert coco.cats == {1: {'id': 1, 'name': 'mass'}, 2: {'id': 2, 'name': 'calcification'}}
    triangle, box = coco.loadAnns(coco.getAnnIds(imgIds=[7]))
    assert triangle['area'] == pytest.approx(20.2 * 20.2 / 2)
    assert coco.annToMask(triangle)[21, 29] == 1 and coco.annToMask(triangle)[39, 11] == 0
    assert coco.annToMask(box).shape == (100, 80)
    assert box['bbox'] == pytest.approx([0.1, 0.2, 0.2, 63.5])


def test_numpy_values_of_tables_are_written_as_plain_ones(tmp_path):
    labels = {'cancer': np.int64(1), 'age': np.float64(50.5), 'implant': np.bool_(False)}
    read = read_index(written(tmp_path, image_of(labels=labels))).images[0].labels
    assert read == {'cancer': 1, 'age': 50.5, 'implant': False}


@pytest.mark.parametrize(
    ('image', 'words'),
    [
        (image_of(findings=[Finding((60, 10, 90, 20), 'mass')]), r'annotation 1 \(image 7, e/7\.png\): bbox.*80 x 100'),
        (image_of(findings=[Finding((9, 10, 9, 20), 'mass')]), r'annotation 1 .*bbox'),
        (image_of(findings=[Finding((float('nan'), 1, 9, 20), 'mass')]), r'annotation 1 .*bbox'),
        (image_of(findings=[OUTLINED, Finding((1, 1, 9, 20), 'cyst')]), r"annotation 2 .*category.*'cyst'.*mass"),
        (image_of(labels={'age': float('nan')}), 'labels'),
        (image_of(labels={'age': object()}), 'labels.*object'),
    ],
    ids=['outside', 'empty', 'nan', 'category', 'nan-label', 'object-label'],
)
def test_refuses_to_write_what_could_not_be_read(tmp_path, image, words):
    with pytest.raises(MammoError, match=words):
        written(tmp_path, image)
    assert not any(path.is_file() for path in tmp_path.rglob('*'))


@pytest.mark.parametrize(
    ('twin', 'words'), [(image_of(7), 'images: id.*7'), (image_of(8, file_name='e/7.png'), 'file_name')]
)
def test_refuses_to_write_repeated_images(tmp_path, twin, words):
    with pytest.raises(MammoError, match=words):
        written(tmp_path, image_of(7), twin)


def set_key(kind, key, value):
    return lambda document: document[kind][0].__setitem__(key, value)


def drop_key(kind, key):
    return lambda document: document[kind][0].pop(key)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (drop_key('images', 'patient_id'), 'image 7: patient_id: found no such key'),
        (drop_key('images', 'id'), 'image without id: id'),
        (set_key('images', 'affine', [[1, 0, 0], [0, 1, 0], [0, 1, 1]]), 'image 7: affine.*last row'),
        (set_key('images', 'affine', [[0, 0, 0], [0, 1, 0], [0, 0, 1]]), 'image 7: affine'),
        (set_key('images', 'laterality', 'left'), "image 7: laterality: found 'left'; expected one of L, R, U"),
        (set_key('images', 'view', 'MLX'), "image 7: view: found 'MLX'"),
        (set_key('images', 'width', 80.5), 'image 7: width'),
        (set_key('images', 'height', 0), 'image 7: height'),
        (set_key('images', 'height', 10**400), 'image 7: height'),
        (set_key('images', 'pixel_spacing_mm', 10**400), 'image 7: pixel_spacing_mm'),
        (set_key('images', 'affine', [[10**400, 0, 0], [0, 1, 0], [0, 0, 1]]), 'image 7: affine'),
        (set_key('images', 'landmarks', LANDMARKS.to_json() | {'nipple': [10**400, 1]}), 'image 7: landmarks'),
        (set_key('images', 'file_name', 'a\0b.png'), r"image 7: file_name: found 'a\\x00b\.png'"),
        (set_key('images', 'exam_id', 'a\0'), 'image 7: exam_id'),
        (set_key('images', 'exam_id', '\ud800'), 'content: found .*surrogates not allowed'),
        (set_key('images', 'source', {'path': ['x']}), 'image 7: source: .*whose path and sha256 are texts'),
        (set_key('images', 'source', {'sha256': {}}), 'image 7: source'),
        (set_key('images', 'pixel_spacing_mm', -1), 'image 7: pixel_spacing_mm'),
        (set_key('images', 'labels', None), 'image 7: labels'),
        (set_key('images', 'landmarks', {'contour': []}), "image 7: landmarks: found no key 'nipple'"),
        (set_key('images', 'landmarks', 5), 'image 7: landmarks'),
        (lambda d: d['images'].append(d['images'][0]), 'images: id: found 1 repeated, the first is 7'),
        (lambda d: d['images'].append(5), 'images: found list; expected a list of objects'),
        (lambda d: d.pop('annotations'), 'annotations'),
        (drop_key('annotations', 'lesion_id'), 'annotation 1: lesion_id'),
        (set_key('annotations', 'bbox', [1, 2, 3]), 'annotation 1: bbox'),
        (set_key('annotations', 'bbox', [1, 2, 3, 10**400]), 'annotation 1: bbox'),
        (set_key('annotations', 'bbox', [70, 2, 30, 4]), r'annotation 1 \(image 7, e/7\.png\): bbox'),
        (set_key('annotations', 'segmentation', [[1, 2, 3]]), 'annotation 1: segmentation'),
        (set_key('annotations', 'category_id', 9), 'annotation 1: category_id: found 9'),
        (set_key('annotations', 'image_id', 70), 'annotation 1: image_id: found 70'),
        (set_key('annotations', 'image_id', [7]), 'annotation 1: image_id'),
        (set_key('annotations', 'id', 2), 'annotations: id: found 1 repeated'),
        (set_key('categories', 'id', 5), r'categories: id: found \[5, 2\]; expected 1 to 2'),
        (set_key('categories', 'name', 'calcification'), 'categories: name'),
        (lambda d: d['info'].pop('format'), 'info.format'),
    ],
)
def test_a_broken_file_is_named_with_entry_and_key(tmp_path, change, words):
    path = spoilt(tmp_path, change)
    with pytest.raises(MammoError, match=words) as caught:
        read_index(path)
    assert caught.value.where == str(path) and 'prepare_dataset.py' in caught.value.remedy


def test_characters_beyond_the_first_plane_are_texts(tmp_path):
    path = written(tmp_path, image_of(exam_id='exam \U0001f642'))
    assert '\\ud83d' in path.read_text() and read_index(path).images[0].exam_id == 'exam \U0001f642'


@pytest.mark.parametrize(
    'content', [None, '', '[1]', '{"info": {}}', '{"info": {"format": "mmmammo-1"', '[' * 100_000, '1' * 5000]
)
def test_no_annotation_file(tmp_path, content):
    path = tmp_path / 'x.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(MammoError, match=r'x\.json'):
        read_index(path)


def test_disjoint_patients_pass_and_shared_ones_are_counted(tmp_path):
    train = written(tmp_path, image_of(1, 'a'), image_of(2, 'b'), image_of(3, 'c'), name='train.json')
    val = written(tmp_path, image_of(4, 'd'), name='val.json')
    test = written(tmp_path, image_of(5, 'c'), image_of(6, 'a'), image_of(7, 'e'), name='test.json')
    check_patient_disjoint([train, val])
    with pytest.raises(MammoError, match=r'test\.json: patient_id: found 2 patient.*train\.json'):
        check_patient_disjoint([train, val, test])
