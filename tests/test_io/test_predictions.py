"""The predictions file: readable by COCO tools, and refused when broken."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmmammo.io.predictions import read_predictions, write_predictions
from mmmammo.structures import ImagePrediction, MammoError


def write_run(path):
    image = ImagePrediction(
        image_id=3,
        file_name='e/a.png',
        width=80,
        height=100,
        boxes=np.array([[1.0, 2.0, 5.5, 9.0]]),
        scores=np.array([0.75]),
        labels=np.array([1]),
        gt_boxes=np.array([[1.0, 2.0, 5.0, 9.0]]),
        gt_labels=np.array([1]),
    )
    write_predictions(path, [image, ImagePrediction(image_id=4)], ['mass', 'calcification'])
    return json.loads(path.read_text())


def test_pycocotools_reads_it(tmp_path):
    document = write_run(tmp_path / 'p.json')
    coco = COCO(tmp_path / 'p.json')
    found = coco.loadRes(document['detections'])
    assert coco.anns[1]['bbox'] == [1, 2, 4, 7] and coco.cats[2]['name'] == 'calcification'
    assert found.anns[1]['bbox'] == [1, 2, 4.5, 7] and found.anns[1]['score'] == 0.75


def test_round_trip_keeps_empty_images(tmp_path):
    write_run(tmp_path / 'p.json')
    (full, empty), categories = read_predictions(tmp_path / 'p.json')
    assert categories == ('mass', 'calcification')
    np.testing.assert_array_equal(full.boxes, [[1, 2, 5.5, 9]])
    assert full.labels == full.gt_labels == 1
    assert empty.image_id == 4 and empty.boxes.shape == (0, 4) and empty.scores.shape == (0,)


def test_lesion_ids_and_spacing_survive_where_they_are_known(tmp_path):
    boxes, labels = np.array([[1.0, 2.0, 5.0, 9.0], [3.0, 3.0, 4.0, 4.0]]), np.array([0, 0])
    linked = ImagePrediction(1, gt_boxes=boxes, gt_labels=labels, gt_lesion_ids=('a', ''), pixel_spacing_mm=0.07)
    unlinked = ImagePrediction(2, gt_boxes=boxes, gt_labels=labels)
    write_predictions(tmp_path / 'p.json', [linked, unlinked], ['mass'])
    (first, second), _ = read_predictions(tmp_path / 'p.json')
    assert (first.gt_lesion_ids, first.pixel_spacing_mm) == (('a', ''), 0.07)
    assert (second.gt_lesion_ids, second.pixel_spacing_mm) == ((), None)
    assert first.of_label(0).gt_lesion_ids == ('a', '') and first.of_label(1).gt_lesion_ids == ()


@pytest.mark.parametrize(
    ('damage', 'words'),
    [
        pytest.param(lambda d: d['detections'][0].update(image_id=9), ['detections[0]', "'image_id': 9"], id='image'),
        pytest.param(lambda d: d['annotations'][0].update(category_id=7), ['annotations[0]'], id='category'),
        pytest.param(lambda d: d.pop('detections'), ['detections', 'a list'], id='list'),
        pytest.param(lambda d: d['info'].update(format='coco'), ["'coco'", 'mmmammo-predictions-1'], id='format'),
    ],
)
def test_a_broken_file_is_named(tmp_path, damage, words):
    path = tmp_path / 'p.json'
    document = write_run(path)
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(MammoError) as error:
        read_predictions(path)
    for word in [str(path), *words]:
        assert word in str(error.value)


@pytest.mark.parametrize('content', [None, '{"info": ', '[]', ''])
def test_no_predictions_file(tmp_path, content):
    path = tmp_path / 'p.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(MammoError, match='PredictionDump'):
        read_predictions(path)
