"""Lesions against what one view shows and the other does not: boxes in prepared pixels, scores, and the table."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io.exam_index import read_index
from mmmammo.phantom.overlaps import overlap_boxes
from mmmammo.structures import Affine, MammoError
from mmmammo.testing.decoy_exams import box_at, decoy_exams, view_prediction, write_decoy_set

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location('tell_overlaps', ROOT / 'tools/analysis/tell_overlaps.py')
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)
OVERLAP = {'attributes': {'decoy': 'overlap'}}
SYMMETRIC = {'attributes': {'decoy': 'symmetric'}}


def write_truth(raw, images, boxes):
    """truth.json of one exam; ``boxes`` by (side, view), in source pixels."""
    views = [
        {
            'laterality': image.laterality.value,
            'view': image.view.value,
            'decoys': boxes.get((image.laterality, image.view), []),
        }
        for image in images
    ]
    folder = raw / images[0].exam_id
    folder.mkdir(parents=True)
    (folder / 'truth.json').write_text(json.dumps({'views': views}))


@pytest.fixture
def exam(tmp_path):
    """The four views of one exam whose images are half as large as their sources."""
    _, index = write_decoy_set(tmp_path, 'test', decoy_exams(1))
    half = Affine(np.diag([0.5, 0.5, 1.0]))
    return [replace(image, affine=half) for image in read_index(index).images]


def test_boxes_of_overlaps_in_prepared_pixels(exam, tmp_path):
    shown = [{'bbox': [10, 20, 30, 60], **OVERLAP}, {'bbox': [0, 0, 8, 8], **SYMMETRIC}]
    write_truth(tmp_path / 'raw', exam, {(exam[1].laterality, exam[1].view): shown})
    found = overlap_boxes(exam, tmp_path / 'raw')
    assert found[exam[1].image_id].tolist() == [[5, 10, 15, 30]]
    assert all(found[image.image_id].shape == (0, 4) for image in (exam[0], *exam[2:]))


def test_another_raw_set_is_refused(exam, tmp_path):
    with pytest.raises(MammoError, match=r'truth\.json: found no such file; .*--raw'):
        overlap_boxes(exam, tmp_path / 'raw')
    write_truth(tmp_path / 'raw', exam[:1], {})
    with pytest.raises(MammoError, match='that view among them'):
        overlap_boxes(exam, tmp_path / 'raw')


def test_a_box_has_the_score_of_the_best_detection_that_meets_it():
    at = box_at(50, 50)
    image = view_prediction('L', 'CC', [(at, 0.3), (box_at(51, 50), 0.8), (box_at(80, 90), 0.9)])
    found = tool.best_scores(image, np.array([at, box_at(20, 20)]))
    assert found.tolist() == [0.8, 0.0]
    assert tool.best_scores(image, np.empty((0, 4))).shape == (0,)
    assert tool.best_scores(view_prediction('L', 'CC'), np.array([at])).tolist() == [0.0]


def test_a_detection_that_just_touches_does_not_meet():
    """10 x 10 boxes with 100 / 3 pixels in common: IoU (100 / 3) / (200 - 100 / 3) = 0.2, which is not above 0.2."""
    image = view_prediction('L', 'CC', [([0, 0, 10, 10], 0.5)])
    just, more = [0, 20 / 3 + 1e-9, 10, 50 / 3], [0, 20 / 3 - 0.1, 10, 50 / 3 - 0.1]
    assert tool.best_scores(image, np.array([just, more])).tolist() == [0.0, 0.5]


def test_the_table(tmp_path, monkeypatch, capsys):
    """Two lesions of 0.9 and 0.2, an overlap of 0.5: one of two pairs is in order."""
    images = [
        view_prediction('L', 'CC', [(box_at(50, 50), 0.9), (box_at(20, 20), 0.5)], [box_at(50, 50)], image_id=1),
        view_prediction('L', 'MLO', [(box_at(50, 50), 0.2)], [box_at(50, 50)], image_id=2, exam='e'),
    ]
    predictions, index = write_decoy_set(tmp_path / 'run', 'test', images)
    prepared = read_index(index).images
    shown = [{'bbox': box_at(20, 20), **OVERLAP}, {'bbox': box_at(50, 50), **SYMMETRIC}]
    write_truth(tmp_path / 'raw', prepared, {(prepared[0].laterality, prepared[0].view): shown})
    given = ['tool', predictions, '--annotations', index, '--raw', tmp_path / 'raw', '--replicates', 20]
    given = [str(argument) for argument in given]
    monkeypatch.setattr('sys.argv', given)
    monkeypatch.setenv('COLUMNS', '120')
    assert tool.main() == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if ' run ' in line and ' of ' in line)
    assert [cell.strip() for cell in row.strip('│ ').split('│')][:3] == ['run', '2 of 2', '1 of 1']
    assert '0.500' in row
    monkeypatch.setattr('sys.argv', [given[0], given[1], *given[1:]])
    with pytest.raises(MammoError, match='a name of its own, as NAME=PATH'):
        tool.main()


def test_overlaps_are_counted_among_the_false_positives_of_a_rate():
    """Of one image: a lesion, two overlaps, and nothing. At 1 per image the better overlap is all that is wrong."""
    lesion, first, second, nothing = (box_at(x, 50) for x in (20, 50, 80, 110))
    found = [(lesion, 0.9), (first, 0.8), (second, 0.3), (nothing, 0.5)]
    image = view_prediction('L', 'CC', found, [lesion], image_id=1)
    shares = tool.overlaps_among_false_positives([image], {1: np.array([first, second])}, (0.5, 1, 2, 3))
    assert np.isnan(shares[0]) and shares[1:] == pytest.approx([1, 1 / 2, 2 / 3])
