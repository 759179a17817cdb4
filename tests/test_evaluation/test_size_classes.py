"""AP per lesion size and class, against pycocotools and by hand."""

import numpy as np
import pytest
from coco_reference import coco_average_precision
from test_average_precision import random_case

from mmmammo.evaluation.functional import (
    SIZE_CLASSES,
    average_precision_by_size,
    average_precision_per_class,
    bootstrap_ci,
    flatten_images,
    interpolated_precision,
    match_detections,
)
from mmmammo.structures import ImagePrediction, MammoError

IOU_THRS = (0.2, 0.5, 0.75)
SIZES = {'small': (0, 15), 'medium': (15, 30), 'large': (30, 1e5)}


@pytest.mark.parametrize('crowds', [False, True])
@pytest.mark.parametrize('seed', range(4))
def test_sizes_equal_pycocotools(seed, crowds):
    detections, ground_truths, ignored = random_case(seed, 10**6)
    ignored = ignored if crowds else [[]] * len(ignored)
    ours = average_precision_by_size(detections, ground_truths, IOU_THRS, SIZES, ignored)
    theirs = coco_average_precision(detections, ground_truths, ignored, IOU_THRS, SIZES)
    assert ((theirs > 0.02) & (theirs < 0.98)).sum() > 5
    np.testing.assert_allclose([list(row.values()) for row in ours.values()], theirs, rtol=1e-12)


def test_by_hand():
    small, large = [0, 0, 10, 10], [100, 100, 200, 200]
    # A hit on either, and a large box on nothing: each size sees its own lesion, and only the large the false positive.
    detections = [([[300, 300, 400, 400], large, small], [0.9, 0.8, 0.7])]
    ap = average_precision_by_size(detections, [[small, large]], [0.5], SIZE_CLASSES)
    assert ap['microcalcification'][0.5] == 1.0 and ap['large mass'][0.5] == 0.5
    assert np.isnan(ap['small mass'][0.5]) and ap['small mass'][0.5].reason == 'no lesion in the ground truth'
    assert list(ap) == ['microcalcification', 'small mass', 'medium mass', 'large mass']


def test_every_lesion_has_a_class_of_paper_3():
    sides = np.array([1, 4, 15, 39, 40, 99, 250, 900])
    classes = [{name for name, (low, high) in SIZE_CLASSES.items() if low <= side <= high} for side in sides]
    assert all(classes) and [len(names) for names in classes] == [1, 1, 2, 1, 2, 1, 1, 1]


def test_bad_bounds_are_named():
    with pytest.raises(MammoError, match=r"size_classes\['odd'\]: found \(9, 3\)"):
        average_precision_by_size([([], [])], [[]], [0.5], {'odd': (9, 3)})


def test_classes_do_not_mix():
    mass, calc = np.array([[0.0, 0, 10, 10]]), np.array([[50.0, 50, 60, 60]])
    image = ImagePrediction(
        image_id=1,
        boxes=np.concatenate([mass, calc]),
        scores=np.array([0.9, 0.8]),
        labels=np.array([0, 0]),  # the calcification is called a mass
        gt_boxes=np.concatenate([mass, calc]),
        gt_labels=np.array([0, 1]),
    )
    ap = average_precision_per_class([image], ['mass', 'calcification', 'asymmetry'], [0.5])
    assert (ap['mass'][0.5], ap['calcification'][0.5]) == (1.0, 0.0) and np.isnan(ap['asymmetry'][0.5])


def test_weights_equal_repeated_images():
    detections, ground_truths, _ = random_case(3, 10**6)
    repeats = np.random.default_rng(0).integers(0, 4, len(detections))
    matches = match_detections(flatten_images(detections, ground_truths), inclusive=True)
    repeated = match_detections(
        flatten_images(
            [d for d, k in zip(detections, repeats, strict=True) for _ in range(k)],
            [g for g, k in zip(ground_truths, repeats, strict=True) for _ in range(k)],
        ),
        inclusive=True,
    )
    assert interpolated_precision(matches, repeats) == pytest.approx(interpolated_precision(repeated), abs=1e-12)
    interval = bootstrap_ci(
        lambda rows: interpolated_precision(matches, np.bincount(rows, minlength=30)), range(30), 40
    )
    assert interval.low < interval.estimate < interval.high
