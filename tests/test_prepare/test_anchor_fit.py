from types import SimpleNamespace

import numpy as np
import pytest

from mmmammo.prepare.anchor_fit import anchor_sizes, best_iou, box_sizes, fit_anchors, iou_of_sizes, kmeans_sizes
from mmmammo.structures import MammoError


def image(boxes, width=200, height=400):
    return SimpleNamespace(width=width, height=height, findings=[SimpleNamespace(bbox=box) for box in boxes])


def test_boxes_as_the_detector_sees_them():
    images = [image([(0, 0, 20, 40)]), image([(5, 5, 15, 5)]), image([(10, 10, 20, 20)], 400, 200)]
    assert box_sizes(images).tolist() == [[20, 40], [10, 10]]
    assert box_sizes(images, (100, 100)).tolist() == [[5, 10], [2.5, 2.5]]
    assert box_sizes(images, (400, 100)).tolist() == [[10, 20], [5, 5]]
    with pytest.raises(MammoError, match='boxes: found none'):
        box_sizes([image([])])


def test_iou_of_boxes_with_one_centre():
    np.testing.assert_allclose(iou_of_sizes([[4, 2]], [[4, 2], [2, 2], [2, 4]]), [[1, 1 / 2, 4 / 12]])


def test_clusters_far_apart_are_found_whatever_their_order():
    rng = np.random.default_rng(0)
    sizes = np.concatenate([rng.normal(mean, 0.2, (50, 2)) for mean in (40, 10, 90)])
    centres = kmeans_sizes(rng.permutation(sizes), 3)
    np.testing.assert_allclose(centres, [[10, 10], [40, 40], [90, 90]], atol=0.2)
    np.testing.assert_allclose(kmeans_sizes(sizes, 3), centres)


def test_as_many_centres_as_sizes_fit_exactly():
    sizes = np.array([[10.0, 12], [30, 20], [10, 12], [5, 5]])
    assert kmeans_sizes(sizes, 3).tolist() == [[5, 5], [10, 12], [30, 20]]
    assert best_iou(sizes, kmeans_sizes(sizes, 3)) == 1
    with pytest.raises(MammoError, match='k: found 4; expected 1 to 3'):
        kmeans_sizes(sizes, 4)


def test_anchors_are_those_of_mmdet():
    from mmdet.models.task_modules import AnchorGenerator

    ours = anchor_sizes([16, 40], [0.5, 1, 2])
    theirs = AnchorGenerator(strides=[4, 8], base_sizes=[16, 40], scales=[1.0], ratios=[0.5, 1, 2]).base_anchors
    np.testing.assert_allclose(ours, np.concatenate([a[:, 2:] - a[:, :2] for a in theirs]), rtol=1e-6)


def test_sides_and_ratios_of_a_grid_are_found_back():
    sizes = anchor_sizes([10, 20, 40], [0.5, 1, 2])
    fit = fit_anchors(sizes, 3, 3)
    np.testing.assert_allclose(fit.sides, [10, 20, 40])
    np.testing.assert_allclose(fit.ratios, [0.5, 1, 2])
    assert fit.iou == pytest.approx(1)
