import math
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import lesion_matching
from mmmammo.evaluation.metrics import LesionMatchingMetric
from mmmammo.structures import ImagePrediction, LesionPair, MammoError

A, B, C, NOWHERE = [0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50], [70, 70, 80, 80]


def image(number, view, boxes, truth, ids, side='L', exam='e', scores=None):
    return ImagePrediction(
        image_id=number,
        exam_id=exam,
        laterality=side,
        view=view,
        boxes=np.array(boxes, dtype=float).reshape(-1, 4),
        scores=np.linspace(0.9, 0.5, len(boxes)) if scores is None else np.array(scores),
        labels=np.zeros(len(boxes), np.int64),
        gt_boxes=np.array(truth, dtype=float).reshape(-1, 4),
        gt_labels=np.zeros(len(truth), np.int64),
        gt_lesion_ids=tuple(ids),
    )


CC = image(1, 'CC', [A, NOWHERE, B], [A, B, C], ['a', 'b', 'c'])
MLO = image(2, 'MLO', [B, A, C], [A, B, C], ['b', 'a', 'd'])
"""Found: a and b in both views, d in MLO only; c nowhere."""


def test_right_pairs():
    result = lesion_matching([CC, MLO], [LesionPair(1, 0, 2, 0, 0.9), LesionPair(1, 2, 2, 1, 0.8)])
    assert (result.precision, result.recall, result.accuracy) == (1.0, 1.0, 1.0)
    assert (result.n_pairs, result.n_predicted, result.n_detections) == (2, 2, 5)


def test_one_right_one_with_a_false_positive():
    result = lesion_matching([CC, MLO], [LesionPair(1, 0, 2, 0, 0.9), LesionPair(1, 1, 2, 1, 0.8)])
    assert (result.precision, result.recall, result.n_predicted) == (1.0, 0.5, 1)
    assert result.accuracy == 3 / 5  # both of a, and d, which has no counterpart; b is wrong in both views


def test_swapped_pairs():
    result = lesion_matching([CC, MLO], [LesionPair(1, 0, 2, 1, 0.9), LesionPair(1, 2, 2, 0, 0.8)])
    assert (result.precision, result.recall, result.accuracy) == (0.0, 0.0, 1 / 5)


def test_no_pairs_are_right_where_nothing_is_to_be_paired():
    result = lesion_matching([CC, MLO], [])
    assert math.isnan(result.precision) and result.recall == 0.0 and result.accuracy == 1 / 5


def test_weak_detections_are_none():
    result = lesion_matching([CC, MLO], [], score_thr=0.95)
    assert result.n_detections == 0 and math.isnan(result.accuracy) and math.isnan(result.recall)


def test_only_views_of_one_breast_are_partners():
    other = image(2, 'MLO', [A], [A], ['a'], side='R')
    assert lesion_matching([CC, other], []).n_detections == 0


def test_of_repeats_the_best_ones_are_partners():
    images = [CC, MLO, replace(CC, image_id=3), replace(MLO, image_id=4)]
    pairs = [LesionPair(3, 0, 4, 0, 0.9), LesionPair(3, 2, 4, 1, 0.8)]
    assert lesion_matching(images, pairs, qualities=[0.2, 0.3, 0.8, 0.9]).recall == 1.0
    assert lesion_matching(images, pairs).recall == 0.0


def test_lesions_without_id_are_left_out():
    assert lesion_matching([CC, image(2, 'MLO', [A], [A], [])], []).n_pairs == 0


@pytest.mark.parametrize('pair', [LesionPair(1, 3, 2, 0, 1.0), LesionPair(7, 0, 2, 0, 1.0)])
def test_pairs_of_what_is_not_there_are_refused(pair):
    with pytest.raises(MammoError, match='pairs'):
        lesion_matching([CC, MLO], [pair])


def sample_of(prediction, pairs=(), quality=0.0):
    return {
        'quality': quality,
        'img_id': prediction.image_id,
        'exam_id': prediction.exam_id,
        'laterality': prediction.laterality,
        'view': prediction.view,
        'ori_shape': (100, 100),
        'pred_instances': {'bboxes': prediction.boxes, 'scores': prediction.scores, 'labels': prediction.labels},
        'gt_instances': {'bboxes': prediction.gt_boxes, 'labels': prediction.gt_labels},
        'lesion_ids': prediction.gt_lesion_ids,
        'lesion_pairs': pairs,
    }


def test_metric_says_the_same():
    metric = LesionMatchingMetric()
    pairs = (LesionPair(1, 0, 2, 0, 0.9), LesionPair(1, 1, 2, 1, 0.8))
    metric.process(None, [sample_of(CC, pairs), sample_of(MLO)])
    values = metric.evaluate(2)
    assert values['matching/recall'] == 0.5 and values['matching/n_pairs'] == 2


def test_metric_knows_which_repeat_is_the_best():
    metric = LesionMatchingMetric()
    pairs = (LesionPair(3, 0, 2, 0, 0.9), LesionPair(3, 2, 2, 1, 0.8))
    samples = [sample_of(CC, quality=0.1), sample_of(replace(CC, image_id=3), pairs, 0.9), sample_of(MLO, quality=0.5)]
    metric.process(None, samples)
    assert metric.evaluate(3)['matching/recall'] == 1.0


def test_images_of_two_sets_with_one_id_are_refused():
    """Ids begin at 1 in every prepared set."""
    metric = LesionMatchingMetric()
    metric.process(None, [sample_of(CC), sample_of(CC), sample_of(replace(CC, exam_id='of another set'))])
    with pytest.raises(MammoError, match=r"image 1: exam_id, file_name: found \('e', .* and \('of another.*merge_sets"):
        metric.evaluate(3)


def test_a_model_that_pairs_nothing_is_named():
    sample = sample_of(CC)
    del sample['lesion_pairs']
    with pytest.raises(MammoError, match=r'lesion_pairs.*LesionMatcher'):
        LesionMatchingMetric().process(None, [sample])
