"""Options of the detection metrics: levels, millimetres, normal images, areas, sizes and the paper's averages."""

import numpy as np
import pytest
import torch
from test_detection_metrics import LESION, NOWHERE, data_sample, evaluate

from mmmammo.anatomy import rescored
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.evaluation.metrics import APMetric, FROCMetric, PredictionDump
from mmmammo.io.predictions import read_predictions
from mmmammo.structures import MammoError
from mmmammo.testing.decoy_exams import decoy_exams

AVG8 = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def exam(hit_in_both=True, **meta):
    """A lesion in both views of the left breast; a false positive on the right."""
    meta = {'exam_id': 'e', 'patient_id': 'p'} | meta
    return [
        data_sample(1, [(LESION, 0.9)], [LESION], laterality='L', **meta),
        data_sample(2, [(LESION, 0.8)] if hit_in_both else [], [LESION], laterality='L', **meta),
        data_sample(3, [(NOWHERE, 0.95)], [], laterality='R', **meta),
    ]


def test_levels_add_their_readings_under_their_name():
    numbers = evaluate(FROCMetric(fps_per_image=(0.5,), levels=('image', 'breast')), exam(hit_in_both=False))
    assert list(numbers) == [
        'froc/recall@0.50',
        'froc/fauc',
        'froc/image/recall@0.50',
        'froc/image/fauc',
        'froc/image/n_units',
        'froc/breast/recall@0.50',
        'froc/breast/fauc',
        'froc/breast/n_units',
        'froc/n_images',
        'froc/n_lesions',
        'froc/n_detections',
    ]
    assert (numbers['froc/recall@0.50'], numbers['froc/breast/recall@0.50']) == (0.5, 1.0)
    assert (numbers['froc/image/n_units'], numbers['froc/breast/n_units']) == (2, 1)


def test_a_lesion_seen_in_two_views_is_one():
    samples = exam(hit_in_both=False, lesion_ids=['m1'])
    numbers = evaluate(FROCMetric(fps_per_image=(0.5,), levels=['lesion']), samples)
    assert (numbers['froc/recall@0.50'], numbers['froc/lesion/recall@0.50']) == (0.5, 1.0)
    assert (numbers['froc/n_lesions'], numbers['froc/lesion/n_units']) == (2, 1)
    with pytest.raises(MammoError, match='per lesion: lesion_ids: found nothing'):
        evaluate(FROCMetric(levels=['lesion']), exam())


def test_keys_of_levels_do_not_depend_on_the_data():
    metric = dict(bootstrap=3, levels=('exam', 'patient'), false_positive_images='normal', fauc_limit=2.0)
    empty = evaluate(FROCMetric(**metric), [data_sample(1, [], [], patient_id='p')])
    assert list(empty) == list(evaluate(FROCMetric(**metric), exam()))
    assert np.isnan(empty['froc/exam/fauc_0-2.00_low']) and empty['froc/exam/n_units'] == 0


def test_an_area_with_another_end_has_another_name():
    numbers = evaluate(FROCMetric(fauc_limit=0.25), exam())
    assert 'froc/fauc' not in numbers and numbers['froc/fauc_0-0.25'] < evaluate(FROCMetric(), exam())['froc/fauc']


def test_false_positives_on_normal_images():
    numbers = evaluate(FROCMetric(fps_per_image=(0.5,), false_positive_images='normal'), exam())
    assert numbers['froc/recall@0.50'] == 0.0  # one false positive on one normal image comes first
    assert evaluate(FROCMetric(fps_per_image=(0.5,)), exam())['froc/recall@0.50'] == 1.0


def test_millimetres_need_the_spacing_of_the_sample():
    metric = dict(matching='distance', distance_mm=0.5, fps_per_image=(0,))
    near = [3.0, 4.0, 13.0, 14.0]  # 5 px from the lesion
    sample = data_sample(1, [(near, 0.9)], [LESION], pixel_spacing_mm=0.1)
    assert evaluate(FROCMetric(**metric), [sample])['froc/recall@0.00'] == 1.0
    with pytest.raises(MammoError, match='spacing_mm: found nothing'):
        evaluate(FROCMetric(**metric), [data_sample(1, [(near, 0.9)], [LESION])])


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'levels': ('box',)}, "levels: found 'box'.*boxes are always read"),
        ({'matching': 'distance'}, r'distance_mm=10'),
        ({'matching': 'dice'}, "matching: found 'dice'"),
    ],
)
def test_bad_options_are_refused_when_the_config_is_built(options, words):
    with pytest.raises(MammoError, match=words):
        FROCMetric(**options)


def test_the_log_names_rule_level_and_normal_images(log):
    evaluate(FROCMetric(matching='centre_in_box', levels=('breast',), false_positive_images='normal'), exam())
    assert 'FROC, centre in box: 1 breasts with a lesion, 3 images (1 normal, with false positives)' in log.text


def test_both_averages_of_paper_0_are_logged_and_printed(log):
    # IoU 0.6 exactly: right up to there, so 5 of 7 and 5 of 8.
    numbers = evaluate(APMetric(iou_thrs=AVG8), [data_sample(1, [([0.0, 0.0, 10.0, 6.0], 0.9)], [LESION])])
    assert numbers['ap/mean7_0.20-0.80'] == pytest.approx(5 / 7)
    assert numbers['ap/mean8_0.20-0.90'] == pytest.approx(5 / 8)
    assert 'Avg7' in log.text and 'Avg8' in log.text and '71.43' in log.text and '62.50' in log.text


def test_sizes_have_their_own_keys():
    metric = APMetric(iou_thrs=(0.5,), size_classes={'small': (0, 5), 'large': (5, 100)})
    numbers = evaluate(metric, [data_sample(1, [(LESION, 0.9)], [LESION])])
    assert numbers['ap/size/large/0.50'] == 1.0 and np.isnan(numbers['ap/size/small/0.50'])
    assert 'ap/size/small/mean1_0.50' in numbers


WEIGHTS = CrossViewWeights(0.5, 1.5, -1.0, -1.5, 0.5, 0.2)


def decoy_samples(images, **changes):
    """One data sample per view, as a single-view model gives them."""
    made = []
    for image in images:
        found = [(box, 0.0) for box in image.boxes.tolist()]
        meta = {key: getattr(image, key) for key in ('exam_id', 'patient_id', 'laterality', 'view', 'landmarks')}
        meta = {key: value for key, value in (meta | changes).items() if value != 'absent'}
        sample = data_sample(image.image_id, found, image.gt_boxes.tolist(), **meta | {'ori_shape': (128, 96)})
        sample.pred_instances.scores = torch.from_numpy(image.scores)
        made.append(sample)
    return made


@pytest.fixture
def weights_file(tmp_path):
    WEIGHTS.save(tmp_path / 'cross_view.json')
    return tmp_path / 'cross_view.json'


def test_detections_are_scored_by_the_other_views_though_the_model_saw_one(weights_file, tmp_path):
    images = decoy_exams(6)
    kept = tmp_path / 'predictions.json'
    evaluate(PredictionDump(path=kept, cross_view=weights_file), decoy_samples(images[::-1]))
    for image, expected in zip(read_predictions(kept)[0], rescored(images, WEIGHTS.apply), strict=True):
        assert image.image_id == expected.image_id
        np.testing.assert_allclose(image.scores, expected.scores)
    metric = dict(fps_per_image=(0.25,))
    before = evaluate(FROCMetric(**metric), decoy_samples(images))['froc/recall@0.25']
    assert evaluate(FROCMetric(**metric, cross_view=weights_file), decoy_samples(images))['froc/recall@0.25'] > before


def test_weak_detections_are_left_out_after_they_have_been_evidence(tmp_path):
    """All lose by the weights but those with a partner; a threshold on the old scores would have taken it away."""
    CrossViewWeights(ipsilateral=2.0, ipsilateral_missing=-2.0).save(tmp_path / 'cross_view.json')
    images = decoy_exams(4)
    scores = np.concatenate([image.scores for image in rescored(images, CrossViewWeights(ipsilateral=2.0).apply)])
    metric = FROCMetric(score_thr=0.6, cross_view=tmp_path / 'cross_view.json')
    assert evaluate(metric, decoy_samples(images))['froc/n_detections'] == (scores >= 0.6).sum() > 0


@pytest.mark.parametrize('key', ['exam_id', 'landmarks'])
def test_what_finds_the_place_in_other_views_must_be_there(weights_file, key):
    with pytest.raises(MammoError, match=f'{key}: found nothing.*PackMammogram'):
        evaluate(FROCMetric(cross_view=weights_file), decoy_samples(decoy_exams(1), **{key: 'absent'}))
