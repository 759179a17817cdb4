"""From rows of a file to boxes per image, and what the door refuses."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import boxes_by_image, detections_by_image, flatten_images
from mmmammo.structures import MammoError

BOX = [0, 0, 10, 10]


def test_rows_go_to_their_image_in_order():
    rows = [[i, 0, i + 1, 1] for i in range(4)]
    per_image = detections_by_image(['a', 'b', 'c'], ['c', 'a', 'c', 'a'], rows, [0.1, 0.2, 0.3, 0.4])
    assert [scores.tolist() for _, scores in per_image] == [[0.2, 0.4], [], [0.1, 0.3]]
    assert per_image[2][0][:, 0].tolist() == [0, 2] and per_image[1][0].shape == (0, 4)
    assert [len(boxes) for boxes in boxes_by_image([7, 5], [5, 5], rows[:2])] == [0, 2]


def test_no_rows_and_no_images():
    assert [len(boxes) for boxes in boxes_by_image([1, 2], [], [])] == [0, 0]
    assert boxes_by_image([], [], []) == [] and detections_by_image([], [], [], []) == []


@pytest.mark.parametrize(
    ('images', 'rows', 'boxes', 'scores', 'words'),
    [
        pytest.param([1], [1, 9], [BOX, BOX], [0.5, 0.5], ['row 1, image id', 'found 9', '1 images'], id='unknown id'),
        pytest.param([1], ['1'], [BOX], [0.5], ["found '1'", '7 and "7" differ'], id='id of another type'),
        pytest.param([1, 2, 1], [], [], [], ['row 2', '1, already in row 0'], id='image twice'),
        pytest.param([1], [1, 1], [BOX, [9, 9, 1, 1]], [0.5, 0.5], ['row 1, box', '[9.0, 9.0'], id='inverted'),
        pytest.param([1], [1], [BOX], [np.nan], ['row 0, score', 'nan'], id='nan score'),
        pytest.param([1], [1], [BOX], [87], ['row 0, score', '87', 'per cent'], id='per cent'),
        pytest.param([1], [1], [BOX], [], ['scores', '(0,)'], id='no score'),
        pytest.param([1], [1, 1], [BOX], [0.5], ['boxes', '(2, 4)'], id='a box missing'),
    ],
)
def test_bad_rows_are_named(images, rows, boxes, scores, words):
    with pytest.raises(MammoError) as error:
        detections_by_image(images, rows, boxes, scores)
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize(
    ('box', 'good'),
    [([-1, 0, 100, 80], True), ([0, 0, 101, 81], True), ([-2, 0, 10, 10], False), ([0, 0, 10, 90], False)],
)
def test_boxes_beyond_the_image_are_refused_when_its_size_is_known(box, good):
    arguments = [([], []), ([box], [0.5])], [[], []]
    flatten_images(*arguments)
    if good:
        assert flatten_images(*arguments, image_sizes=[(50, 50), (100, 80)]).num_images == 2
    else:
        with pytest.raises(MammoError, match=r'detections\[1\]: box 0: found \[.*inside the image of 100 x 80'):
            flatten_images(*arguments, image_sizes=[(50, 50), (100, 80)])


def test_score_and_box_are_named_by_their_place_in_the_image():
    with pytest.raises(MammoError, match=r'detections\[1\]: score 1: found 1\.5'):
        flatten_images([([BOX], [0.5]), ([BOX, BOX], [0.5, 1.5])], [[], []])
    with pytest.raises(MammoError, match=r'ground_truths\[0\]: box 1: found \[5'):
        flatten_images([([], [])], [[BOX, [5, 5, 1, 1]]])


@pytest.mark.parametrize('spacing', [0, -0.1, float('inf')])
def test_impossible_spacing_is_named(spacing):
    with pytest.raises(MammoError, match=r'spacing_mm\[0\]'):
        flatten_images([([], [])], [[]], spacing_mm=[spacing])
