"""Detections beside ground truth: what is read, what is refused, and what is said of it."""

import json

import numpy as np
import pytest

from mmmammo.io.detection_files import read_detection_set, with_labels_of
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction, MammoError

LESION = [10.0, 10, 20, 20]  # x, y, width, height
TRUTH = {
    'info': {'split': 'test'},
    'images': [{'id': i, 'width': 100, 'height': 100, 'file_name': f'{i}.png'} for i in (1, 2, 3)],
    'categories': [{'id': 7, 'name': 'mass'}],
    'annotations': [
        {'id': 1, 'image_id': 1, 'category_id': 7, 'bbox': LESION, 'iscrowd': 0, 'pathology': 'benign'},
        {'id': 2, 'image_id': 2, 'category_id': 7, 'bbox': [0, 0, 50, 50], 'iscrowd': 1},
    ],
}


def detection(image_id=1, bbox=LESION, score=0.9, category_id=7):
    return {'image_id': image_id, 'category_id': category_id, 'bbox': bbox, 'score': score}


def changed(**keys):
    return json.loads(json.dumps(TRUTH)) | keys


def read(folder, detections, truth=TRUTH, strict=False):
    (folder / 'truth.json').write_text(json.dumps(truth))
    (folder / 'found.json').write_text(json.dumps(detections))
    return read_detection_set(folder / 'found.json', folder / 'truth.json', strict=strict)


def test_boxes_become_corners_and_crowds_are_ignored_regions(tmp_path):
    data = read(tmp_path, [detection(), detection(2, [0, 0, 5, 6], 0.25)])
    first, second, third = data.images
    assert first.gt_boxes.tolist() == first.boxes.tolist() == [[10, 10, 30, 30]]
    assert second.ignored_boxes.tolist() == [[0, 0, 50, 50]] and second.scores.tolist() == [0.25]
    assert third.boxes.shape == third.gt_boxes.shape == (0, 4)
    assert (data.categories, data.split, data.lesion_labels[0]['pathology']) == (('mass',), 'test', 'benign')
    assert [(intake.what, intake.used) for intake in data.intakes] == [('annotations', 2), ('detections', 2)]


@pytest.mark.parametrize(
    ('bad', 'said'),
    [
        (detection(score=1.5), 'score: found 1.5; expected a number in [0, 1]'),
        (detection(score=float('nan')), 'score: found nan'),
        (detection(score=True), 'score: found True'),
        (detection(bbox=[30, 30, -5, 10]), 'bbox: found [30, 30, -5, 10]; expected a width and a height of at least 0'),
        (
            detection(bbox=[90, 90, 50, 50]),
            'bbox: found [90, 90, 50, 50]; expected a box inside the image of 100 x 100',
        ),
        (detection(bbox=[1, 2, 3, 10**400]), 'bbox: found [1, 2, 3, 1000'),
        (detection(bbox=[1, 2, 3]), 'bbox: found [1, 2, 3]; expected four finite numbers'),
        (detection(image_id=99), 'image_id: found 99; expected an image id of the ground truth'),
        (detection(category_id=1), 'category_id: found 1; expected one of 7'),
        ('row', "row: found 'row'; expected an object"),
    ],
)
def test_a_bad_detection_is_left_out_with_its_place(tmp_path, bad, said):
    intake = read(tmp_path, [detection(), bad]).intakes[1]
    (row,) = intake.refused
    assert (intake.used, row.row) == (1, 'detections[1]') and row.reason.startswith(said)
    with pytest.raises(MammoError, match=r'detections\[1\]'):
        read(tmp_path, [detection(), bad], strict=True)


def test_nothing_but_bad_detections_is_an_error(tmp_path):
    with pytest.raises(MammoError, match=r'none that can be used of 1; detections\[0\]: score'):
        read(tmp_path, [detection(score=2)])


def test_no_detection_at_all_is_a_result(tmp_path):
    assert read(tmp_path, []).intakes[1].used == 0


@pytest.mark.parametrize(
    ('truth', 'said'),
    [
        (changed(annotations=[TRUTH['annotations'][0] | {'bbox': [5, 5, -1, 2]}]), r'annotations\[0\]: bbox'),
        (changed(annotations=[TRUTH['annotations'][0] | {'image_id': 9}]), r'annotations\[0\]: image_id: found 9'),
        (changed(images=[*TRUTH['images'], {'id': 3}]), r'images\[3\]: id: found 3 again'),
        (changed(images=[{'id': '1'}], annotations=[]), r"images\[0\]: id: found '1'"),
        (
            changed(images=[{'id': 1, 'exam_id': 'a'}, {'id': 2}], annotations=[]),
            r'images\[1\]: exam_id: found nothing',
        ),
        (changed(images=[{'id': 1, 'pixel_spacing_mm': 0}], annotations=[]), 'pixel_spacing_mm: found 0'),
        (changed(images=[]), 'images: found none'),
        *(
            (changed(images=[{'id': 1, 'file_name': name}], annotations=[]), 'image 1: file_name: found .*a path below')
            for name in ('../../private/scan.png', '/private/scan.png', 'a\0.png', ['a.png'], 5, '..')
        ),
        (changed(images=[{'id': 1, 'exam_id': '\ud800'}], annotations=[]), 'content: found .*surrogates'),
        ({'images': []}, 'annotations: found nothing'),
    ],
)
def test_a_fault_of_the_truth_stops(tmp_path, truth, said):
    with pytest.raises(MammoError, match=said):
        read(tmp_path, [detection()], truth)


@pytest.mark.parametrize(
    ('keys', 'patients', 'note'),
    [
        ({}, ['image 1', 'image 2', 'image 3'], 'each image counts as a patient'),
        ({'exam_id': 'e'}, ['e', 'e', 'e'], 'each exam counts as one'),
        ({'exam_id': 'e', 'patient_id': 'p'}, ['p', 'p', 'p'], None),
    ],
)
def test_what_is_not_named_is_made_up_for_and_said(tmp_path, keys, patients, note):
    data = read(tmp_path, [], changed(images=[image | keys for image in TRUTH['images']]))
    assert [image.patient_id for image in data.images] == patients
    assert (note is None and data.notes == ()) or note in data.notes[0]


def test_lesions_without_area_are_told_of(tmp_path):
    point = {'id': 1, 'image_id': 1, 'category_id': 7, 'bbox': [10, 10, 0, 0], 'iscrowd': 0}
    (note,) = [note for note in read(tmp_path, [detection()], changed(annotations=[point])).notes if 'area' in note]
    assert note.startswith('1 annotated boxes have no area') and 'centre or distance' in note
    assert not any('area' in note for note in read(tmp_path, [detection()]).notes)


@pytest.mark.parametrize(
    ('content', 'said'), [([], 'without truth.*--gt'), ({}, 'a JSON dict'), (None, 'found No such')]
)
def test_detections_alone_are_refused(tmp_path, content, said):
    if content is not None:
        (tmp_path / 'found.json').write_text(json.dumps(content))
    with pytest.raises(MammoError, match=said):
        read_detection_set(tmp_path / 'found.json')


def test_our_predictions_file_brings_its_truth_and_takes_labels_from_annotations(tmp_path):
    box = np.array([[10.0, 10, 30, 30]])
    image = ImagePrediction(
        1, '1.png', 100, 100, 'e', 'p', 'L', 'CC', box, np.array([0.5]), np.zeros(1, int), box, np.zeros(1, int)
    )
    write_predictions(tmp_path / 'run' / 'predictions.json', [image], ['mass'])
    truth = changed(
        images=[TRUTH['images'][0] | {'labels': {'density': 'c'}, 'pixel_spacing_mm': 0.1}, *TRUTH['images'][1:]]
    )
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    plain = read_detection_set(tmp_path / 'run' / 'predictions.json')
    assert (plain.split, plain.image_labels, plain.images[0].pixel_spacing_mm) == ('run/predictions', ({},), None)
    data = with_labels_of(plain, tmp_path / 'truth.json')
    assert data.image_labels == ({'density': 'c'},) and data.lesion_labels[0]['pathology'] == 'benign'
    assert data.images[0].pixel_spacing_mm == 0.1 and data.images[0].scores.tolist() == [0.5]


def test_of_two_findings_at_one_place_each_has_its_own_labels(tmp_path):
    box = np.array([[10.0, 10, 30, 30]] * 2)
    image = ImagePrediction(
        1, '1.png', 100, 100, 'e', 'p', 'L', 'CC', box, np.full(2, 0.5), np.zeros(2, int), box, np.array([0, 1])
    )
    names = ['mass', 'calcification']
    write_predictions(tmp_path / 'run' / 'predictions.json', [image], names)
    truth = changed(
        categories=[{'id': i, 'name': name} for i, name in enumerate(names, 1)],
        annotations=[
            {
                'id': i,
                'image_id': 1,
                'category_id': i,
                'bbox': [10, 10, 20, 20],
                'iscrowd': 0,
                'pathology': name,
            }
            for i, name in enumerate(names, 1)
        ],
    )
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    data = with_labels_of(read_detection_set(tmp_path / 'run' / 'predictions.json'), tmp_path / 'truth.json')
    assert [labels['pathology'] for labels in data.lesion_labels] == names


@pytest.mark.parametrize('name', [None, ''])
def test_truth_without_file_names_can_be_counted(tmp_path, name):
    data = read(tmp_path, [detection()], changed(images=[image | {'file_name': name} for image in TRUTH['images']]))
    assert [image.file_name for image in data.images] == [''] * 3


@pytest.mark.parametrize('content', ['[' * 100_000, '[' + '1' * 5000 + ']'])
def test_what_json_of_python_cannot_hold_is_told(tmp_path, content):
    read(tmp_path, [])
    (tmp_path / 'found.json').write_text(content)
    with pytest.raises(MammoError, match=r'found\.json: content: found .*; expected JSON'):
        read_detection_set(tmp_path / 'found.json', tmp_path / 'truth.json')
