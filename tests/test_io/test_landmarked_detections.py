"""Detections beside the landmarks of their images."""

import json

import numpy as np
import pytest

from mmmammo.io.landmarked_detections import read_landmarked_detections
from mmmammo.structures import MammoError
from mmmammo.testing.decoy_exams import decoy_exams, view_prediction, write_decoy_set


def test_a_predictions_file_gets_landmarks_and_the_name_of_the_split(tmp_path):
    images = decoy_exams(2)
    data = read_landmarked_detections(*write_decoy_set(tmp_path, 'val', images))
    assert (data.split, data.categories, len(data.images)) == ('val', ('mass',), 8)
    for read, image in zip(data.images, images, strict=True):
        np.testing.assert_allclose(read.landmarks.nipple, image.landmarks.nipple)
        np.testing.assert_allclose(read.scores, image.scores)
        np.testing.assert_allclose(read.gt_boxes, image.gt_boxes)


def test_a_plain_list_of_results_takes_its_truth_from_the_annotations(tmp_path):
    images = decoy_exams(2)
    predictions, index = write_decoy_set(tmp_path, 'val', images)
    predictions.write_text(json.dumps(json.loads(predictions.read_text())['detections']))
    data = read_landmarked_detections(predictions, index)
    assert [len(image.boxes) for image in data.images] == [len(image.boxes) for image in images]
    assert sum(len(image.gt_boxes) for image in data.images) == 4 and data.split == 'val'


def test_annotations_of_other_images_are_refused(tmp_path):
    predictions, _ = write_decoy_set(tmp_path, 'val', decoy_exams(2))
    _, other = write_decoy_set(tmp_path / 'other', 'val', decoy_exams(2, name='another'))
    with pytest.raises(MammoError, match='image 1: found another00 L CC; expected exam00 L CC'):
        read_landmarked_detections(predictions, other)
    _, fewer = write_decoy_set(tmp_path / 'fewer', 'val', decoy_exams(1))
    with pytest.raises(MammoError, match='image 5: found nothing'):
        read_landmarked_detections(predictions, fewer)


def test_a_set_without_any_landmarks_is_refused(tmp_path):
    images = [view_prediction('L', view, image_id=i, landmarks=None) for i, view in enumerate(('CC', 'MLO'))]
    with pytest.raises(MammoError, match=r'val\.json: landmarks: found none, in 2 images'):
        read_landmarked_detections(*write_decoy_set(tmp_path, 'val', images))
