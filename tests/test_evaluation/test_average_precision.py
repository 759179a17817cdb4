"""Average precision against pycocotools, and by hand."""

from multiprocessing.pool import ThreadPool
from unittest import mock

import numpy as np
import pytest
from coco_reference import coco_average_precision
from mmdet.evaluation.functional import mean_ap

from mmmammo.evaluation.functional import (
    average_precision,
    flatten_images,
    interpolated_precision,
    match_detections,
    precision_reader,
    side_by_side,
)
from mmmammo.structures import MammoError

IOU_THRS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LESION = [0, 0, 10, 10]


def random_boxes(rng, n):
    corner = rng.integers(0, 60, (n, 2))
    return np.concatenate([corner, corner + rng.integers(5, 50, (n, 2))], axis=1).astype(float)


def random_case(seed, levels):
    rng = np.random.default_rng(seed)
    ground_truths = [random_boxes(rng, n) for n in rng.integers(0, 5, 30)]
    ignored = [random_boxes(rng, n) for n in rng.integers(0, 2, 30)]
    detections = []
    for lesions in ground_truths:
        near = np.repeat(lesions, 2, axis=0) + rng.integers(-3, 4, (2 * len(lesions), 4))
        boxes = np.concatenate([near, random_boxes(rng, rng.integers(0, 10))])
        detections.append((boxes, rng.integers(1, levels, len(boxes)) / levels))
    return detections, ground_truths, ignored


@pytest.mark.parametrize('levels', [20, 10**6], ids=['ties', 'no ties'])
@pytest.mark.parametrize('seed', range(3))
def test_equals_pycocotools(seed, levels):
    detections, ground_truths, ignored = random_case(seed, levels)
    ours = average_precision(detections, ground_truths, IOU_THRS, ignored)
    (theirs,) = coco_average_precision(detections, ground_truths, ignored, IOU_THRS)
    assert 0.05 < theirs[0] < 0.95
    np.testing.assert_allclose([ours[iou_thr] for iou_thr in IOU_THRS], theirs, rtol=1e-12)


def mmdet_average_precision(detections, ground_truths, iou_thr):
    """mmdet's AP of one class, and its curve: recalls and precisions."""
    found = [[np.column_stack([boxes, scores])] for boxes, scores in detections]
    truth = [{'bboxes': lesions, 'labels': np.zeros(len(lesions), int)} for lesions in ground_truths]
    with mock.patch.object(mean_ap, 'Pool', ThreadPool):  # it starts a process at every call
        (result,) = mean_ap.eval_map(found, truth, iou_thr=iou_thr, nproc=1, logger='silent')[1]
    return result['ap'], result['recall'], result['precision']


def lesions_far_apart(seed):
    """Lesions of 12 to 20 px in cells of 80 px, detections of up to 50 px: none can meet two lesions."""
    rng = np.random.default_rng(seed)
    detections, ground_truths = [], []
    for count in rng.integers(0, 5, 20):
        corner = 80.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1]])[:count] + rng.uniform(0, 8, (count, 2))
        lesions = np.concatenate([corner, corner + rng.uniform(12, 20, (count, 2))], axis=1)
        near = np.repeat(lesions, 3, axis=0) + rng.uniform(0, 5, (3 * count, 1)) * rng.uniform(-1, 1, (3 * count, 4))
        boxes = np.concatenate([near, random_boxes(rng, rng.integers(0, 6))])
        ground_truths.append(lesions)
        detections.append((boxes, rng.random(len(boxes))))
    return detections, ground_truths


@pytest.mark.parametrize('seed', range(3))
def test_equals_mmdets_eval_map_but_for_where_the_curve_is_read(seed):
    # mmdet takes the area under the monotone curve, we its mean at 101 recalls as COCO does: at most 0.01 apart, for
    # the curve falls from at most 1 to at least 0 in 100 steps. Read at the 101, mmdet's own curve gives our number.
    detections, ground_truths = lesions_far_apart(seed)
    ours = average_precision(detections, ground_truths, IOU_THRS)
    assert 0.95 > ours[0.2] > ours[0.7] > ours[0.9] > 0
    for iou_thr in IOU_THRS:
        area, recall, precision = mmdet_average_precision(detections, ground_truths, iou_thr)
        assert ours[iou_thr] == pytest.approx(area, abs=0.01)
        levels = np.linspace(0, 1, 101)
        at_levels = [precision[recall >= level].max(initial=0) for level in levels]
        assert ours[iou_thr] == pytest.approx(np.mean(at_levels), abs=1e-6)  # mmdet counts in float32


def test_where_mmdets_eval_map_matches_by_another_rule():
    # mmdet (PASCAL VOC) compares a detection only with the lesion it meets best, and calls it false if that is taken;
    # we, as COCO, give it the best of the lesions that are left. Here both detections meet the first lesion best.
    lesions = np.array([[0.0, 0, 10, 10], [0, 4, 10, 14]])
    detections = [(np.array([[0.0, 0, 10, 10], [0, 1, 10, 11]]), np.array([0.9, 0.8]))]
    assert average_precision(detections, [lesions], [0.5]) == {0.5: 1.0}
    assert mmdet_average_precision(detections, [lesions], 0.5)[0] == 0.5


@pytest.mark.parametrize('cells', [1 << 22, 0], ids=['counted', 'summed'])
@pytest.mark.parametrize('levels', [20, 10**6], ids=['ties', 'no ties'])
@pytest.mark.parametrize('iou_thr', [0.2, 0.5, 0.9])
def test_hits_alone_tell_it_whatever_the_weights(levels, iou_thr, cells, monkeypatch):
    monkeypatch.setattr('mmmammo.evaluation.functional.precision_recall._CELLS', cells)
    models = [
        match_detections(flatten_images(*random_case(seed, levels)), 'iou', iou_thr, inclusive=True) for seed in (0, 1)
    ]
    rng = np.random.default_rng(7)
    for matches in (models[0], side_by_side(models[0], models[0])):
        read = precision_reader(matches)
        for _ in range(10):
            weights = rng.integers(0, 3, matches.num_images)
            assert read(weights) == interpolated_precision(matches, weights)
    assert np.isnan(precision_reader(models[1])(np.zeros(30)))


@pytest.mark.parametrize('cells', [1 << 22, 0], ids=['counted', 'summed'])
def test_without_hits_it_is_zero(cells, monkeypatch):
    monkeypatch.setattr('mmmammo.evaluation.functional.precision_recall._CELLS', cells)
    matches = match_detections(flatten_images([([[50, 50, 60, 60]], [0.5])], [[LESION]]), 'iou', 0.5)
    assert precision_reader(matches)(np.ones(1)) == interpolated_precision(matches) == 0


def test_by_hand():
    # Hit, miss, hit of two lesions: precision 1 up to recall 0.5, then 2/3; 51 of 101 recalls lie at or below 0.5.
    detections = [([LESION, [50, 50, 60, 60], [100, 100, 110, 110]], [0.9, 0.8, 0.7])]
    ap = average_precision(detections, [[LESION, [100, 100, 110, 110]]], [0.5])
    assert ap[0.5] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_iou_equal_to_the_threshold_is_a_hit():
    assert average_precision([([[0, 0, 10, 2]], [0.9])], [[LESION]], [0.2, 0.21]) == {0.2: 1.0, 0.21: 0.0}


def test_perfect_and_empty():
    assert average_precision([([LESION], [0.1])], [[LESION]], [0.5, 1.0]) == {0.5: 1.0, 1.0: 1.0}
    assert average_precision([([], [])], [[LESION]], [0.5]) == {0.5: 0.0}


def test_without_lesions_undefined():
    ap = average_precision([([LESION], [0.1])], [[]], [0.2, 0.5])
    assert list(ap) == [0.2, 0.5] and np.isnan(list(ap.values())).all()


@pytest.mark.parametrize('iou_thr', [0, 1.5, 50])
def test_bad_threshold_is_named(iou_thr):
    with pytest.raises(MammoError, match='iou_thrs'):
        average_precision([([], [])], [[]], [iou_thr])
