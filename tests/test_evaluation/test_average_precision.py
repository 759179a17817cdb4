"""Average precision against pycocotools, and by hand."""

import numpy as np
import pytest
from coco_reference import coco_average_precision

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


@pytest.mark.parametrize('levels', [20, 10**6], ids=['ties', 'no ties'])
@pytest.mark.parametrize('iou_thr', [0.2, 0.5, 0.9])
def test_hits_alone_tell_it_whatever_the_weights(levels, iou_thr):
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


def test_without_hits_it_is_zero():
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
