"""Localisation accuracy of heatmaps: by hand, and against the protocol written out."""

import cv2
import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    MAP_THRESHOLDS,
    best_iou_per_threshold,
    bootstrap_ci,
    grey_map,
    localisation_accuracy,
    region_boxes,
)
from mmmammo.structures import MammoError

BOX = [10, 20, 40, 50]


def indicator(boxes, shape=(64, 64)):
    score_map = np.zeros(shape)
    for x1, y1, x2, y2 in boxes:
        score_map[y1:y2, x1:x2] = 1
    return score_map


def literal_best_iou(score_map, lesions, tau):
    """WSOL's steps one by one, with inclusive pixels, every contour."""
    low, high = score_map.min(), score_map.max()
    grey = ((score_map - low) / (high - low) * 255).astype(np.uint8)
    _, binary = cv2.threshold(grey, int(tau * grey.max()), 255, cv2.THRESH_BINARY)
    contours = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    boxes = [[0, 0, 0, 0]] if not contours else []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        boxes.append([x, y, min(x + w, grey.shape[1] - 1), min(y + h, grey.shape[0] - 1)])
    best = 0.0
    for a in boxes:
        for b in lesions:
            w = max(min(a[2], b[2]) - max(a[0], b[0]) + 1, 0)
            h = max(min(a[3], b[3]) - max(a[1], b[1]) + 1, 0)
            areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
            best = max(best, w * h / (sum(areas) - w * h))
    return best


@pytest.mark.parametrize('seed', range(3))
def test_equals_the_protocol_written_out(seed):
    rng = np.random.default_rng(seed)
    score_map = cv2.GaussianBlur(rng.random((48, 56)), (0, 0), 4)
    lesions = [[5, 6, 20, 18], [30, 10, 50, 40]]
    ours = best_iou_per_threshold(score_map, lesions)
    chosen = rng.choice(1000, 60, replace=False)
    np.testing.assert_allclose(ours[chosen], [literal_best_iou(score_map, lesions, MAP_THRESHOLDS[i]) for i in chosen])
    assert ours.max() > 0.2 and len(np.unique(ours)) > 10


@pytest.mark.parametrize(('pixels', 'iou'), [('continuous', 1.0), ('inclusive', 31**2 / 31**2)])
def test_a_map_of_the_box_is_right_at_every_iou(pixels, iou):
    best = best_iou_per_threshold(indicator([BOX]), [BOX], pixels=pixels)
    assert (best == iou).all()
    result = localisation_accuracy([best] * 3)
    assert set(result.accuracy.values()) == {1.0} and result.mean == 1.0 and result.n_images == 3


def test_every_region_or_the_largest():
    score_map = indicator([BOX, [50, 0, 60, 10]])
    lesion = [[50, 0, 60, 10]]
    assert best_iou_per_threshold(score_map, lesion, pixels='continuous').max() == 1.0
    assert best_iou_per_threshold(score_map, lesion, pixels='continuous', regions='largest').max() == 0.0


def test_regions_by_hand():
    grey = np.zeros((20, 30), dtype=np.uint8)
    grey[5:10, 20:30] = 100
    np.testing.assert_array_equal(region_boxes(grey, 99, pixels='continuous'), [[20, 5, 30, 10]])
    np.testing.assert_array_equal(region_boxes(grey, 99, pixels='inclusive'), [[20, 5, 29, 10]])
    np.testing.assert_array_equal(region_boxes(grey, 100), [[0, 0, 0, 0]])


WSOL_MAPS = {
    'zero': [[0.0] * 3] * 3,
    'unimodal': [[0, 0, 0, 0, 0], [0, 0.4, 0.4, 0.4, 0.6], [0, 0.4, 1, 0.8, 0.6], [0, 0.4, 0.4, 0.4, 0.6]],
    'multimodal': [[0.4, 0, 0.2, 0.2, 0.2], [0.4, 0.4, 0, 0.4, 0], [0, 0, 0, 0.4, 0], [1, 0.6, 0.8, 0.2, 0.2]],
}
WSOL_BOXES = {
    'zero': [[0, 0, 0, 0]] * 5,
    'unimodal': [[1, 1, 4, 3], [1, 1, 4, 3], [2, 1, 4, 3], [2, 2, 4, 3], [2, 2, 3, 3]],
    'multimodal': [[0, 0, 4, 3], [0, 0, 2, 2], [0, 3, 3, 3], [2, 3, 3, 3], [0, 3, 1, 3]],
}
"""The maps of the WSOL benchmark's own tests, and the box round the largest region above 0, 20, … 80 % of the peak."""


@pytest.mark.parametrize('name', WSOL_MAPS)
def test_boxes_of_the_benchmark_s_own_cases(name):
    grey = grey_map(WSOL_MAPS[name])
    found = [region_boxes(grey, int(share * grey.max()), 'largest').tolist() for share in np.arange(0, 1, 0.2)]
    assert found == [[box] for box in WSOL_BOXES[name]]


@pytest.mark.parametrize(
    ('found', 'lesion', 'iou'),
    [([0, 0, 0, 0], [0, 0, 0, 0], 1.0), ([1, 1, 3, 3], [4, 4, 5, 5], 0.0), ([1, 2, 5, 6], [3, 1, 4, 5], 8 / 27)],
    ids=['one pixel', 'apart', 'overlapping'],
)
def test_ious_of_the_benchmark_s_own_cases(found, lesion, iou):
    # The last pixel of a box belongs to it, and x + w is taken for that of a region: a map of all but the last row and
    # column of a box gives that very box; a map of nothing gives [0, 0, 0, 0].
    assert best_iou_per_threshold(indicator([found], (9, 9)), [lesion]).max() == pytest.approx(iou)


@pytest.mark.parametrize('score_map', [np.full((8, 8), 3.0), np.full((8, 8), np.nan)])
def test_flat_and_undefined_maps_show_nothing(score_map):
    assert not grey_map(score_map).any()
    assert best_iou_per_threshold(score_map, [BOX]).max() == 0.0


def test_maps_grow_to_the_image():
    small = indicator([[2, 2, 6, 6]], (16, 16))
    best = best_iou_per_threshold(small, [[8, 8, 24, 24]], (64, 64), pixels='continuous')
    assert grey_map(small, (64, 48)).shape == (48, 64) and best.max() > 0.9


def table(**steps):
    """Images whose IoU is ``value`` up to a threshold and 0 beyond."""
    return np.array([np.where(np.arange(1000) <= until, value, 0.0) for until, value in steps.values()])


def test_the_threshold_is_chosen_per_iou():
    best = table(a=(100, 0.9), b=(900, 0.5)) + np.pad(np.zeros((2, 1)), ((0, 0), (0, 999)))
    best[1, :200] = 0.0  # the second is right between .2 and .9 only
    result = localisation_accuracy(best, [0.5, 0.8])
    assert result.accuracy == {0.5: 0.5, 0.8: 0.5} and result.mean == 0.5
    assert result.threshold == {0.5: 0.0, 0.8: 0.0}
    frozen = localisation_accuracy(best, [0.5, 0.8], frozen={0.5: 0.3, 0.8: 0.3})
    assert frozen.accuracy == {0.5: 0.5, 0.8: 0.0} and frozen.threshold == {0.5: 0.3, 0.8: 0.3}


def test_images_without_lesion_are_counted_apart():
    nothing = best_iou_per_threshold(indicator([BOX]), [])
    result = localisation_accuracy([nothing, best_iou_per_threshold(indicator([BOX]), [BOX])])
    assert (result.n_images, result.n_without_lesion, result.mean) == (1, 1, 1.0)
    empty = localisation_accuracy([nothing], [0.5, 0.7])
    assert list(empty.accuracy) == [0.5, 0.7] and empty.mean.reason == 'no image with a lesion'


def test_shares_of_images_and_their_interval():
    best = table(**{f'i{i}': (999, 0.6 if i < 6 else 0.1) for i in range(10)})
    assert localisation_accuracy(best, [0.5]).accuracy[0.5] == 0.6
    interval = bootstrap_ci(lambda rows: localisation_accuracy(best[rows], [0.5]).mean, range(10), 50)
    assert interval.low < 0.6 < interval.high


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: best_iou_per_threshold(np.zeros((3, 4, 5)), [BOX]), r'score_map: found shape \(3, 4, 5\)'),
        (lambda: best_iou_per_threshold(np.zeros((9, 9)), [[5, 5, 1, 1]]), r'lesions\[0\]: found \[5'),
        (lambda: best_iou_per_threshold(np.zeros((9, 9)), [BOX], regions='some'), "regions: found 'some'"),
        (lambda: localisation_accuracy(np.zeros((2, 9))), r'best_ious: found shape \(2, 9\)'),
        (lambda: localisation_accuracy(np.zeros((2, 1000)), [20]), 'iou_thrs'),
        (lambda: localisation_accuracy(np.zeros((2, 1000)), [0.5], {0.4: 0.1}), r'frozen\[0.5\]: found nan'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()
