import numpy as np
import pytest

from mmmammo.anatomy import (
    GeometricPrior,
    assign_pairs,
    nearest_node,
    node_log_odds,
    pair_log_odds,
    pseudo_landmarks,
    relative_depths,
)
from mmmammo.anatomy.lesion_matching import DEPTH, LOG_SIZE, Spread
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.structures import Affine, BreastLandmarks, MammoError

CONTOUR = [(0.0, 0.0), (90.0, 30.0), (100.0, 50.0), (90.0, 70.0), (0.0, 100.0)]
CC = BreastLandmarks(CONTOUR, (100.0, 50.0), ((0.0, 0.0), (0.0, 100.0)))
MLO = BreastLandmarks(CONTOUR, (100.0, 60.0), ((40.0, 0.0), (0.0, 40.0)))  # 45 degrees


def box(x, y, size=10.0):
    return [x - size / 2, y - size / 2, x + size / 2, y + size / 2]


def normal_density(x, deviation):
    return np.exp(-(x**2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi))


def test_depths_by_hand():
    np.testing.assert_allclose(relative_depths([(100, 50), (50, 10), (0, 90), (-10, 0)], CC), [0, 0.5, 1, 1.1])
    np.testing.assert_allclose(relative_depths([(100, 60), (20, 20), (40, 0), (70, 30)], MLO), [0, 1, 1, 0.5])


def test_odds_are_the_ratio_of_two_normal_densities():
    found = Spread(0.1, 0.3).log_odds(np.array([0.0, 0.05, -0.2]))
    expected = [np.log(normal_density(d, 0.1) / normal_density(d, 0.3)) for d in (0.0, 0.05, -0.2)]
    np.testing.assert_allclose(found, expected)


def test_pairs_by_hand():
    """Depth 0.5 and 0.2 in CC; 0.2 in MLO, twice as large as its counterpart relative to the breast."""
    depth_mlo = 120 / np.sqrt(2)
    at = np.array([100.0, 60.0]) - 0.2 * depth_mlo / np.sqrt(2)
    odds = pair_log_odds([box(50, 50), box(80, 20)], [box(*at, size=20 * depth_mlo / 100)], CC, MLO)
    expected = [[DEPTH.log_odds(np.array(d)) + LOG_SIZE.log_odds(np.log(np.array(2.0)))] for d in (0.3, 0.0)]
    np.testing.assert_allclose(odds, expected)


def test_pixel_size_and_mirroring_do_not_matter():
    boxes = [box(50, 50), box(80, 20)]
    turned = Affine.mirror(300) @ Affine.scaling(2.5, 2.5)
    before = pair_log_odds(boxes, boxes, CC, MLO)
    after = pair_log_odds(turned.boxes(boxes), boxes, CC.transformed(turned), MLO)
    np.testing.assert_allclose(after, before)


def test_places_that_lesions_had_together_speak_for_a_pair():
    counts = np.zeros((22, 26))
    counts[3, 4], counts[10, 20] = 30, 30
    places = np.random.default_rng(0)
    nodes = node_log_odds(GeometricPrior((22, 26), counts, places.random((22, 2)), places.random((26, 2)), 60))
    assert nodes.shape == (22, 26)
    assert nodes[3, 4] > 0 > nodes[3, 20]
    assert np.abs(nodes).max() <= 2
    boxes = [box(50, 50)]
    i = nearest_node([(50, 50)], pseudo_landmarks(CC, 'CC', 22))[0]
    j = nearest_node([(50, 50)], pseudo_landmarks(MLO, 'MLO', 26))[0]
    added = pair_log_odds(boxes, boxes, CC, MLO, nodes) - pair_log_odds(boxes, boxes, CC, MLO)
    np.testing.assert_allclose(added, [[nodes[i, j]]])


def test_assignment_takes_the_greatest_sum_and_nothing_improbable():
    logit = np.log(np.array([[0.9, 0.8], [0.85, 0.1]]) / np.array([[0.1, 0.2], [0.15, 0.9]]))
    assert [(i, j) for i, j, _ in assign_pairs(logit)] == [(1, 0), (0, 1)]
    assert assign_pairs(logit[1:, 1:]) == []
    assert assign_pairs(np.zeros((0, 3))) == [] and assign_pairs(np.zeros((3, 0))) == []
    ((_, _, score),) = assign_pairs([[0.0]])
    assert score == 0.5


def test_no_detections_and_no_depth():
    flat = BreastLandmarks(CONTOUR, (0.0, 50.0), ((0.0, 0.0), (0.0, 100.0)))
    assert pair_log_odds([], [box(5, 5)], CC, MLO).shape == (0, 1)
    assert np.isfinite(pair_log_odds([box(5, 5)], [box(5, 5)], flat, MLO)).all()
    assert np.isfinite(pair_log_odds([[5, 5, 5, 5]], [box(5, 5)], CC, MLO)).all()


@pytest.mark.parametrize('numbers', [(0.3, 0.1), (0.0, 0.1), (0.1, 0.1)])
def test_spreads_that_say_nothing_are_refused(numbers):
    with pytest.raises(MammoError, match='spread'):
        Spread(*numbers)


def test_lesions_of_the_phantom_are_found_again_in_the_other_view():
    right = wrong = 0
    for index in range(6):
        exam = make_exam(PhantomConfig(height=256, finding_mix={'mass': 1.0}), seed=1, index=index)
        views = {view.name: view for view in exam.views}
        for side in 'LR':
            cc, mlo = views.get(f'{side}_CC'), views.get(f'{side}_MLO')
            if cc is None or mlo is None:
                continue
            odds = pair_log_odds(
                [f.bbox for f in cc.findings], [f.bbox for f in mlo.findings], cc.landmarks, mlo.landmarks
            )
            for i, j, _ in assign_pairs(odds):
                same = cc.findings[i].lesion_id == mlo.findings[j].lesion_id
                right, wrong = right + same, wrong + (not same)
    assert right >= 3 and wrong == 0
