"""What a test run leaves, so that patients can be drawn from it later."""

import json

import numpy as np
import pytest
from mmengine.config import Config

from mmmammo.apis.run_results import keep_results, write_results
from mmmammo.evaluation.metrics import APMetric
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction

SIZES = {'small': (0, 24), 'large': (24, 1e5)}


@pytest.fixture
def cfg(tmp_path):
    """A test of a detector with anchors, on a set of one image."""
    image = ImagePrediction(
        image_id=1,
        file_name='1.png',
        width=100,
        height=100,
        exam_id='e1',
        patient_id='p1',
        laterality='L',
        view='CC',
        pixel_spacing_mm=None,
        boxes=np.array([[10.0, 10, 30, 30]]),
        scores=np.array([0.5]),
        labels=np.zeros(1, dtype=int),
        gt_boxes=np.array([[10.0, 10, 30, 30]]),
        gt_labels=np.zeros(1, dtype=int),
    )
    write_predictions(tmp_path / 'predictions.json', [image], ['mass'])
    dataset = {'data_root': str(tmp_path), 'ann_file': 'predictions.json'}
    evaluator = [{'type': 'mmmammo.ATDMetric'}, {'type': 'mmmammo.APMetric', 'size_classes': SIZES}]
    content = {'work_dir': str(tmp_path), 'test_dataloader': {'dataset': dataset}, 'test_evaluator': evaluator}
    return Config(content)


def test_a_detector_with_anchors_keeps_their_table(cfg, tmp_path):
    keep_results(cfg)
    assert cfg.test_evaluator[0].path == str(tmp_path / 'anchors.npz')
    cfg.test_evaluator[0].path = 'elsewhere.npz'
    keep_results(cfg)
    assert cfg.test_evaluator[0].path == 'elsewhere.npz'


def test_the_metrics_file_has_the_sizes_of_lesions(cfg, tmp_path):
    metrics = [APMetric(iou_thrs=(0.5,), size_classes=SIZES)]
    write_results(keep_results(cfg), cfg, metrics, {'ap/size/small/0.50': 1.0}, {})
    document = json.loads((tmp_path / 'metrics.json').read_text())
    assert document['settings']['size_classes'] == {'small': [0, 24], 'large': [24, 1e5]}
    assert document['metrics']['ap/size/small/0.50'] == 1.0 and document['settings']['iou_thr'] == 0.2


@pytest.mark.parametrize(('bootstrap', 'replicates'), [(None, 1000), (0, 0), (20, 20)])
def test_intervals_may_be_left_out(cfg, tmp_path, bootstrap, replicates):
    write_results(keep_results(cfg, bootstrap=bootstrap), cfg, [], {}, {})
    document = json.loads((tmp_path / 'metrics.json').read_text())
    assert document['settings']['bootstrap'] == replicates
