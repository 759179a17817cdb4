"""FROC against hand-worked cases, a literal loop and the properties it must have."""

import numpy as np
import pytest
from loop_reference import froc_points

from mmmammo.evaluation.functional import (
    box_iou,
    flatten_images,
    froc,
    froc_area,
    froc_curve,
    froc_recall_at,
    froc_threshold_at,
    match_detections,
)
from mmmammo.structures import MammoError

LESION = [0, 0, 10, 10]
OTHER_LESION = [100, 100, 120, 120]
NOWHERE = [50, 50, 60, 60]
EMPTY = ([], [])

RULES = [
    pytest.param({'matching': 'iou', 'duplicates': 'false_positive'}, id='iou'),
    pytest.param({'matching': 'iou', 'duplicates': 'ignore'}, id='iou-ignore-duplicates'),
    pytest.param({'matching': 'iou', 'iou_thr': 0.5}, id='iou-half'),
    pytest.param({'matching': 'centre_in_box', 'duplicates': 'false_positive'}, id='centre'),
    pytest.param({'matching': 'centre_in_box', 'duplicates': 'ignore'}, id='centre-ignore-duplicates'),
]


def random_boxes(rng, n, size=100):
    corner = rng.integers(0, size, (n, 2))
    return np.concatenate([corner, corner + rng.integers(1, size // 2, (n, 2))], axis=1).astype(float)


def random_case(seed, num_images=40, levels=30):
    """Crowded images with few distinct scores: many candidate pairs, duplicates and ties."""
    rng = np.random.default_rng(seed)
    detections = [(random_boxes(rng, n), rng.integers(1, levels, n) / levels) for n in rng.integers(0, 20, num_images)]
    return detections, [random_boxes(rng, n) for n in rng.integers(0, 6, num_images)]


def test_hand_worked_case():
    # Scores fall: .9 hit, .8 miss, .7 hit, .6 duplicate; two images, three lesions, one of them never found.
    detections = [
        ([LESION, NOWHERE, [0, 0, 10, 9]], [0.9, 0.8, 0.6]),
        ([OTHER_LESION], [0.7]),
    ]
    result = froc(detections, [[LESION], [OTHER_LESION, [300, 300, 310, 310]]], fps_per_image=(0, 0.25, 0.5, 1, 4))
    np.testing.assert_array_equal(result.thresholds, [np.inf, 0.9, 0.8, 0.7, 0.6])
    np.testing.assert_allclose(result.fps_per_image, [0, 0, 0.5, 0.5, 1])
    np.testing.assert_allclose(result.recall, [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert result.recall_at == pytest.approx({0: 1 / 3, 0.25: 1 / 3, 0.5: 2 / 3, 1: 2 / 3, 4: 2 / 3})
    assert result.fauc == pytest.approx(0.5 * 1 / 3 + 0.5 * 2 / 3)
    assert (result.n_images, result.n_lesions, result.n_detections, result.reason) == (2, 3, 4, None)


def test_perfect_detector_has_full_recall_at_no_cost():
    result = froc([([LESION], [0.3]), EMPTY], [[LESION], []], fps_per_image=(0, 1))
    assert result.recall_at == {0: 1.0, 1: 1.0}
    assert result.fauc == 1.0


@pytest.mark.parametrize('rules', RULES)
@pytest.mark.parametrize('seed', range(5))
def test_equals_plain_loops(rules, seed):
    detections, ground_truths = random_case(seed)
    result = froc(detections, ground_truths, **rules)
    expected = np.array(froc_points(detections, ground_truths, **rules))
    np.testing.assert_allclose(np.stack([result.thresholds, result.fps_per_image, result.recall], 1), expected)


@pytest.mark.parametrize('seed', range(5))
def test_curve_never_falls(seed):
    result = froc(*random_case(seed, levels=10**6))
    assert (np.diff(result.fps_per_image) >= 0).all() and (np.diff(result.recall) >= 0).all()
    assert (np.diff(result.thresholds) < 0).all()
    readings = list(result.recall_at.values())
    assert readings == sorted(readings) and 0 < result.fauc < 1


def test_order_of_images_does_not_matter():
    detections, ground_truths = random_case(7, levels=10**6)
    backwards = froc(detections[::-1], ground_truths[::-1])
    assert backwards.recall_at == pytest.approx(froc(detections, ground_truths).recall_at)


@pytest.mark.parametrize(('duplicates', 'fps'), [('false_positive', 2.0), ('ignore', 0.0)])
def test_duplicates(duplicates, fps):
    detections = [([LESION, [0, 0, 10, 9], [1, 0, 10, 10]], [0.9, 0.8, 0.7])]
    result = froc(detections, [[LESION]], duplicates=duplicates)
    assert result.recall[-1] == 1.0 and result.fps_per_image[-1] == fps


def test_a_second_detection_takes_the_second_lesion_it_hits():
    # Both prefer the first lesion; the lower score must make do with the second, and neither is a false positive.
    lesions = [[0, 0, 10, 10], [4, 0, 14, 10]]
    result = froc([([[0, 0, 10, 10], [1, 0, 11, 10]], [0.9, 0.8])], [lesions])
    assert result.recall[-1] == 1.0 and result.fps_per_image[-1] == 0.0


def test_ties_share_one_operating_point():
    result = froc([([LESION, NOWHERE], [0.5, 0.5])], [[LESION]], fps_per_image=(0, 0.5, 1))
    np.testing.assert_array_equal(result.thresholds, [np.inf, 0.5])
    assert result.recall_at == {0: 0.0, 0.5: 0.5, 1: 1.0}


def test_iou_equal_to_the_threshold_is_no_hit():
    detection = [0, 0, 10, 2]  # a fifth of the lesion: IoU is exactly 0.2
    assert box_iou([detection], [LESION])[0] == 0.2
    assert froc([([detection], [0.9])], [[LESION]], iou_thr=0.2).recall[-1] == 0.0
    assert froc([([detection], [0.9])], [[LESION]], iou_thr=0.19).recall[-1] == 1.0


@pytest.mark.parametrize(
    ('detection', 'recall'),
    [
        pytest.param([4, 4, 6, 6], 1.0, id='small box inside'),
        pytest.param([5, 5, 15, 15], 1.0, id='centre on the corner'),
        pytest.param([5, 5, 15.1, 15], 0.0, id='centre outside'),
        pytest.param([-100, -100, 110, 110], 1.0, id='huge box'),
        pytest.param([3, 3, 3, 3], 1.0, id='a point'),
    ],
)
def test_centre_in_box(detection, recall):
    assert froc([([detection], [0.9])], [[LESION]], matching='centre_in_box').recall[-1] == recall


def test_detections_in_ignored_regions_count_neither_way():
    detections = [([[52, 52, 56, 56], NOWHERE, [200, 200, 210, 210]], [0.9, 0.8, 0.7])]
    plain = froc(detections, [[LESION]])
    spared = froc(detections, [[LESION]], ignored=[[[50, 50, 70, 70]]])
    assert plain.fps_per_image[-1] == 3.0 and spared.fps_per_image[-1] == 1.0


def test_a_lesion_inside_an_ignored_region_is_still_found():
    result = froc([([LESION], [0.9])], [[LESION]], ignored=[[[0, 0, 50, 50]]])
    assert result.recall[-1] == 1.0 and result.fps_per_image[-1] == 0.0


@pytest.mark.parametrize('num_images', [0, 2])
def test_without_lesions_the_recall_is_undefined_and_the_keys_stay(num_images):
    result = froc([([NOWHERE], [0.5])] * num_images, [[]] * num_images)
    assert list(result.recall_at) == [0.5, 1, 2, 3, 4]
    assert np.isnan(list(result.recall_at.values())).all() and np.isnan(result.fauc)
    assert result.reason == 'no lesion in the ground truth'


def test_without_detections_nothing_is_found():
    result = froc([EMPTY, (np.empty((0, 4)), np.empty(0))], [[LESION], []])
    assert set(result.recall_at.values()) == {0.0} and result.fauc == 0.0 and result.n_detections == 0


@pytest.mark.parametrize('num_found', [0, 3, 10])
def test_area_of_a_constant_recall_is_that_recall(num_found):
    # All hits score higher than all misses, so the recall is constant from 0 FPI on.
    detections = [([LESION] * (i < num_found) + [NOWHERE] * 2, [0.9] * (i < num_found) + [0.5] * 2) for i in range(10)]
    assert froc(detections, [[LESION]] * 10).fauc == pytest.approx(num_found / 10)


def test_area_stops_at_the_limit_even_below_a_vertical_rise():
    # A miss at 1 FPI, then a hit: the curve is 0 up to 1 FPI and jumps to 1 there.
    flat = flatten_images([([NOWHERE, LESION], [0.9, 0.8])], [[LESION]])
    curve = froc_curve(match_detections(flat))
    assert froc_area(curve) == 0.0 and froc_area(curve, max_fps_per_image=2.0) == 0.5
    np.testing.assert_array_equal(froc_recall_at(curve, [0.99, 1.0, 5.0]), [0.0, 1.0, 1.0])


def test_the_area_may_end_elsewhere_and_says_where():
    detections, ground_truths = [([NOWHERE, LESION], [0.9, 0.8])], [[LESION]]
    assert [froc(detections, ground_truths, fauc_limit=limit).fauc for limit in (1, 2, 4)] == [0.0, 0.5, 0.75]
    assert froc(detections, ground_truths, fauc_limit=2).fauc_limit == 2
    with pytest.raises(MammoError, match='fauc_limit: found 0'):
        froc(detections, ground_truths, fauc_limit=0)


@pytest.mark.parametrize(('fps', 'threshold'), [(0, 0.9), (0.99, 0.9), (1, 0.7), (5, 0.6)])
def test_threshold_at_costs_no_more_than_asked(fps, threshold):
    scores = [0.9, 0.8, 0.7, 0.6]
    matches = match_detections(
        flatten_images([([LESION, NOWHERE, OTHER_LESION, NOWHERE], scores)], [[LESION, OTHER_LESION]])
    )
    assert froc_threshold_at(froc_curve(matches), fps) == threshold


def test_threshold_is_infinite_when_the_first_detection_costs_too_much():
    matches = match_detections(flatten_images([([NOWHERE], [0.9])], [[LESION]]))
    assert froc_threshold_at(froc_curve(matches), 0.5) == np.inf


def test_image_weights_equal_repeated_images():
    detections, ground_truths = random_case(3)
    repeats = np.random.default_rng(0).integers(0, 4, len(detections))
    matches = match_detections(flatten_images(detections, ground_truths))
    repeated = froc(
        [d for d, k in zip(detections, repeats, strict=True) for _ in range(k)],
        [g for g, k in zip(ground_truths, repeats, strict=True) for _ in range(k)],
    )
    curve = froc_curve(matches, repeats)
    np.testing.assert_allclose(froc_recall_at(curve, [0.5, 1, 2, 3, 4]), list(repeated.recall_at.values()))
    assert froc_area(curve) == pytest.approx(repeated.fauc)


@pytest.mark.parametrize(
    ('detections', 'ground_truths', 'rules', 'words'),
    [
        pytest.param([EMPTY], [[], []], {}, ['detections', 'number of images', 'found 1', '2'], id='lists differ'),
        pytest.param([EMPTY, ([[0, 0, 1]], [0.5])], [[], []], {}, ['detections[1]', '(1, 3)'], id='three columns'),
        pytest.param([EMPTY], [[[0, 0, 1], [0, 0, 1, 1]]], {}, ['ground_truths[0]', 'same length'], id='ragged'),
        pytest.param([([LESION], ['high'])], [[]], {}, ['detections[0]', 'scores', 'numbers'], id='words'),
        pytest.param([EMPTY], [[[5, 5, 1, 1]]], {}, ['ground_truths[0]', '[5.0, 5.0, 1.0, 1.0]'], id='inverted'),
        pytest.param([([[0, 0, np.inf, 1]], [0.5])], [[]], {}, ['detections[0]', 'inf'], id='infinite box'),
        pytest.param([([LESION], [np.nan])], [[]], {}, ['detections[0]', 'score', 'nan'], id='nan score'),
        pytest.param([([LESION], [0.5, 0.6])], [[]], {}, ['detections[0]', 'scores', '(2,)'], id='scores differ'),
        pytest.param([EMPTY], [[]], {'matching': 'dice'}, ['matching', 'dice', 'centre_in_box'], id='unknown rule'),
        pytest.param([EMPTY], [[]], {'duplicates': 'drop'}, ['duplicates', 'drop'], id='unknown duplicates'),
        pytest.param([EMPTY], [[]], {'iou_thr': 20}, ['iou_thr', '20', 'fraction'], id='per cent'),
        pytest.param([EMPTY], [[]], {'fps_per_image': (-1,)}, ['fps_per_image', '-1'], id='negative FPI'),
    ],
)
def test_bad_input_is_named(detections, ground_truths, rules, words):
    with pytest.raises(MammoError) as error:
        froc(detections, ground_truths, **rules)
    for word in words:
        assert word in str(error.value)
