from dataclasses import replace

import numpy as np

from mmmammo.structures import Affine, BreastLandmarks


def example():
    return BreastLandmarks(
        contour=[[0, 0], [6, 5], [0, 10]],
        nipple=[6, 5],
        pectoral_line=[[3, 0], [0, 6]],
        confidence=0.5,
        part_confidence={'nipple': 0.5},
        found_by={'nipple': 'curvature'},
    )


def test_landmarks_follow_a_mirror():
    mirrored = example().transformed(Affine.mirror(8))
    assert mirrored.nipple.tolist() == [2, 5]
    assert mirrored.pectoral_line.tolist() == [[5, 0], [8, 6]]


def test_upper_end_of_the_line_stays_first():
    upside_down = Affine(np.diag([1.0, -1.0, 1.0]))
    assert example().transformed(upside_down).pectoral_line.tolist() == [[0, -6], [3, 0]]


def test_edge_follows_and_its_upper_end_stays_first():
    bent = replace(example(), pectoral_edge=[[3, 0], [2, 4], [0, 6]])
    assert bent.transformed(Affine.mirror(8)).pectoral_edge.tolist() == [[5, 0], [6, 4], [8, 6]]
    upside_down = Affine(np.diag([1.0, -1.0, 1.0]))
    assert bent.transformed(upside_down).pectoral_edge.tolist() == [[0, -6], [2, -4], [3, 0]]
    assert example().transformed(upside_down).pectoral_edge is None


def test_edge_is_in_the_json_only_where_there_is_one():
    bent = replace(example(), pectoral_edge=[[3, 0], [2.004, 4], [0, 6]])
    assert BreastLandmarks.from_json(bent.to_json()).pectoral_edge.tolist() == [[3, 0], [2, 4], [0, 6]]
    assert 'pectoral_edge' not in example().to_json()
    assert BreastLandmarks.from_json(example().to_json()).pectoral_edge is None


def test_json_round_trip():
    landmarks = BreastLandmarks.from_json(example().to_json())
    assert np.array_equal(landmarks.contour, example().contour)
    assert landmarks.found_by == {'nipple': 'curvature'}
    assert landmarks.confidence == 0.5
