"""The MMEngine shells: what they take, what they name, what they refuse."""

import os
import socket

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmmammo.evaluation.metrics import APMetric, FROCMetric, PredictionDump
from mmmammo.evaluation.metrics.ap_metric import name_of_mean
from mmmammo.evaluation.metrics.detection_metric import image_prediction
from mmmammo.io.predictions import read_predictions
from mmmammo.registry import METRICS
from mmmammo.structures import MammoError

LESION = [0.0, 0.0, 10.0, 10.0]
NOWHERE = [50.0, 50.0, 60.0, 60.0]


def data_sample(img_id, found, lesions, ignored=(), labels=None, gt_labels=None, **meta):
    boxes = torch.tensor([box for box, _ in found]).reshape(-1, 4)
    sample = DetDataSample(metainfo={'img_id': img_id, 'ori_shape': (100, 80), **meta})
    sample.pred_instances = InstanceData(
        bboxes=boxes,
        scores=torch.tensor([score for _, score in found]),
        labels=torch.tensor(labels or [0] * len(found), dtype=torch.long),
    )
    sample.gt_instances = InstanceData(
        bboxes=HorizontalBoxes(torch.tensor(lesions).reshape(-1, 4)),
        labels=torch.tensor(gt_labels or [0] * len(lesions), dtype=torch.long),
    )
    sample.ignored_instances = InstanceData(
        bboxes=torch.tensor(list(ignored)).reshape(-1, 4), labels=torch.zeros(len(ignored), dtype=torch.long)
    )
    return sample


def evaluate(metric, samples, size=None, classes=('mass',)):
    """Through MMEngine's evaluator, as a runner does it."""
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {'classes': classes}
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples) if size is None else size)


def two_images(**meta):
    return [
        data_sample(2, [(NOWHERE, 0.8)], [], patient_id='p2', **meta),
        data_sample(1, [(LESION, 0.9), (NOWHERE, 0.6)], [LESION], patient_id='p1', **meta),
    ]


def test_froc_metric_is_registered_and_reads_the_curve():
    metric = METRICS.build({'type': 'mmmammo.FROCMetric'})
    assert evaluate(metric, two_images()) == {
        'froc/recall@0.50': 1.0,
        'froc/recall@1.00': 1.0,
        'froc/recall@2.00': 1.0,
        'froc/recall@3.00': 1.0,
        'froc/recall@4.00': 1.0,
        'froc/fauc': 1.0,
        'froc/n_images': 2,
        'froc/n_lesions': 1,
        'froc/n_detections': 3,
    }


def test_an_exam_data_set_shorter_than_its_images_loses_none():
    # Four images of one exam: MMEngine says size 1, the length of the data set.
    samples = [data_sample(i, [(LESION, 0.9)], [LESION]) for i in range(4)]
    assert evaluate(FROCMetric(), samples, size=1)['froc/n_images'] == 4


def test_images_repeated_by_a_sampler_count_once():
    samples = [data_sample(i % 3, [(NOWHERE, 0.9)], [LESION]) for i in range(5)]
    assert evaluate(FROCMetric(), samples)['froc/n_lesions'] == 3


def _evaluate_one_rank(rank, port, results):
    os.environ |= {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port), 'LOCAL_RANK': str(rank)}
    torch.distributed.init_process_group('gloo', rank=rank, world_size=2)
    ids = [[0, 1, 2, 3], [4, 0]][rank]  # unequal shares, and one image repeated to fill up
    metric = FROCMetric(fps_per_image=(1,))
    metric.process([], [data_sample(i, [(LESION, 0.9)], [LESION]).to_dict() for i in ids])
    results[rank] = metric.evaluate(2)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_share_all_their_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MMEngine gathers through a folder in the working directory
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    with torch.multiprocessing.Manager() as manager:
        results = manager.dict()
        torch.multiprocessing.spawn(_evaluate_one_rank, (port, results), nprocs=2)
        assert results[0] == results[1]
        assert results[0]['froc/n_images'] == 5


def test_a_second_epoch_starts_empty():
    metric = FROCMetric()
    assert evaluate(metric, two_images()) == evaluate(metric, two_images())


def test_keys_do_not_depend_on_the_data():
    options = {'bootstrap': 5, 'fps_per_image': (0.125, 1)}
    full = evaluate(FROCMetric(**options), two_images())
    empty = evaluate(FROCMetric(**options), [data_sample(1, [], [], patient_id='p')])
    assert list(full) == list(empty)
    assert np.isnan(empty['froc/recall@1.00']) and np.isnan(empty['froc/fauc_low'])


def test_interval_brackets_the_recall():
    samples = [
        data_sample(i, [(LESION if i % 2 else NOWHERE, 0.5)], [LESION], patient_id=f'p{i // 2}') for i in range(60)
    ]
    numbers = evaluate(FROCMetric(bootstrap=200), samples)
    assert numbers['froc/recall@1.00'] == 0.5
    # Every patient has one hit and one miss, so resampling patients changes nothing; resampling images would.
    assert numbers['froc/recall@1.00_low'] == numbers['froc/recall@1.00_high'] == 0.5


def test_score_threshold_and_rules_reach_the_matching():
    sample = data_sample(1, [(LESION, 0.9), (LESION, 0.8), ([4.0, 4.0, 5.0, 5.0], 0.7), (NOWHERE, 0.1)], [LESION])
    assert evaluate(FROCMetric(score_thr=0.5), [sample])['froc/n_detections'] == 3
    strict = evaluate(FROCMetric(fps_per_image=(0,)), [data_sample(1, [([4.0, 4.0, 5.0, 5.0], 0.7)], [LESION])])
    centre = evaluate(
        FROCMetric(fps_per_image=(0,), matching='centre_in_box'),
        [data_sample(1, [([4.0, 4.0, 5.0, 5.0], 0.7)], [LESION])],
    )
    assert (strict['froc/recall@0.00'], centre['froc/recall@0.00']) == (0.0, 1.0)


def test_ignored_regions_are_neither_lesion_nor_false_positive():
    sample = data_sample(1, [(NOWHERE, 0.9), (LESION, 0.5)], [LESION], ignored=[NOWHERE])
    numbers = evaluate(FROCMetric(fps_per_image=(0,)), [sample])
    assert numbers['froc/recall@0.00'] == 1.0 and numbers['froc/n_lesions'] == 1


def test_the_log_shows_the_table(log):
    evaluate(FROCMetric(bootstrap=5), two_images())
    assert 'recall at 0.5 FP per image' in log.text
    assert '1 lesions, 2 images' in log.text and '(2 patients)' in log.text


def test_the_log_says_why_a_number_is_undefined(log):
    evaluate(FROCMetric(), [data_sample(1, [(NOWHERE, 0.5)], [])])
    assert 'no lesion in the ground truth' in log.text and 'nan' in log.text


def test_ap_of_one_class():
    numbers = evaluate(APMetric(iou_thrs=(0.2, 0.5, 0.8)), [data_sample(1, [([0.0, 0.0, 10.0, 6.0], 0.9)], [LESION])])
    assert numbers == {
        'ap/0.20': 1.0,
        'ap/0.50': 1.0,
        'ap/0.80': 0.0,
        'ap/mean3_0.20-0.80': pytest.approx(2 / 3),
        'ap/n_images': 1,
        'ap/n_lesions': 1,
    }


def test_ap_of_several_classes_is_the_mean_over_those_that_occur():
    sample = data_sample(1, [(LESION, 0.9), (NOWHERE, 0.8)], [LESION, NOWHERE], labels=[0, 0], gt_labels=[0, 1])
    numbers = evaluate(APMetric(iou_thrs=(0.5,)), [sample], classes=('mass', 'calcification', 'asymmetry'))
    assert numbers['ap/mass/0.50'] == 1.0 and numbers['ap/calcification/0.50'] == 0.0
    assert np.isnan(numbers['ap/asymmetry/0.50'])
    assert numbers['ap/0.50'] == 0.5


@pytest.mark.parametrize(
    ('iou_thrs', 'name'),
    [
        ((0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), 'mean7_0.20-0.80'),
        ((0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), 'mean8_0.20-0.90'),
        ((0.2, 0.5, 0.75), 'mean3_0.20_0.50_0.75'),
        ((0.5,), 'mean1_0.50'),
    ],
)
def test_a_mean_is_named_by_its_list(iou_thrs, name):
    assert name_of_mean(iou_thrs) == name


def test_boxes_are_cut_at_the_border_of_the_image():
    sample = data_sample(1, [([-5, -5, 10, 20], 0.9), ([90, 90, 130, 95], 0.8)], [], ori_shape=(60, 100)).to_dict()
    assert image_prediction(sample).boxes.tolist() == [[0, 0, 10, 20], [90, 60, 100, 60]]


def test_prediction_dump_can_be_read_back(tmp_path):
    meta = {'exam_id': 'e1', 'patient_id': 'p1', 'laterality': 'R', 'view': 'MLO', 'img_path': '/set/images/e1/a.png'}
    samples = [data_sample(7, [(NOWHERE, 0.25)], [LESION], ignored=[[1.0, 2.0, 4.0, 8.0]], **meta)]
    metric = PredictionDump(tmp_path / 'run' / 'predictions.json', images_root='/set/images')
    assert evaluate(metric, samples) == {'predictions/n_images': 1, 'predictions/n_detections': 1}
    (image,), categories = read_predictions(tmp_path / 'run' / 'predictions.json')
    assert categories == ('mass',)
    assert (image.image_id, image.file_name, image.width, image.height) == (7, 'e1/a.png', 80, 100)
    assert (image.exam_id, image.patient_id, image.laterality, image.view) == ('e1', 'p1', 'R', 'MLO')
    np.testing.assert_array_equal(image.boxes, [NOWHERE])
    np.testing.assert_array_equal(image.gt_boxes, [LESION])
    np.testing.assert_array_equal(image.ignored_boxes, [[1, 2, 4, 8]])
    assert image.scores == 0.25 and image.labels == image.gt_labels == 0


@pytest.mark.parametrize(
    ('missing', 'words'),
    [('img_id', 'meta_keys'), ('gt_instances', 'LoadAnnotations'), ('pred_instances', 'must return predictions')],
)
def test_a_sample_without_its_parts_is_refused(missing, words):
    sample = data_sample(1, [], [LESION]).to_dict()
    del sample[missing]
    with pytest.raises(MammoError, match=words):
        FROCMetric().process([], [sample])


def test_no_image_at_all_is_refused():
    with pytest.raises(MammoError, match='dataloader'):
        FROCMetric().evaluate(0)


def test_bootstrap_without_patients_is_refused():
    with pytest.raises(MammoError, match='patient_id'):
        evaluate(FROCMetric(bootstrap=5), [data_sample(1, [], [LESION])])


def test_two_numbers_with_one_key_are_refused():
    with pytest.raises(MammoError, match='two decimals'):
        FROCMetric(fps_per_image=(0.121, 0.122))


def test_ap_without_class_list_is_refused():
    with pytest.raises(MammoError, match='class list'):
        evaluate(APMetric(), [data_sample(1, [], [LESION])], classes=())
