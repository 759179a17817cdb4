"""Cross-view rescoring of what a model has just said."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmmammo.anatomy import cross_view_evidence
from mmmammo.apis.cross_view import rescore_samples, use_cross_view
from mmmammo.evaluation.functional import CrossViewWeights, SplitRecord
from mmmammo.structures import MammoError
from mmmammo.testing.decoy_exams import decoy_exams, write_decoy_set
from mmmammo.testing.exam_samples import view_sample

WEIGHTS = CrossViewWeights(0.5, 1.5, -1.0, -1.5, 0.5, 0.2)


def samples_of(images):
    made = []
    for image in images:
        sample = view_sample(image.exam_id, image.laterality, image.view, landmarks=image.landmarks)
        sample.pred_instances = InstanceData(
            bboxes=torch.from_numpy(image.boxes).float(),
            scores=torch.from_numpy(image.scores).float(),
            labels=torch.from_numpy(image.labels),
        )
        made.append(sample)
    return made


def test_samples_get_new_scores_and_what_they_come_from():
    images = decoy_exams(1)
    samples = samples_of(images)
    rescore_samples(samples, WEIGHTS)
    for sample, image, found in zip(samples, images, cross_view_evidence(images), strict=True):
        instances = sample.pred_instances
        assert instances.scores.dtype == torch.float32
        np.testing.assert_allclose(instances.scores, WEIGHTS.apply(found), atol=1e-5)
        np.testing.assert_allclose(instances.detector_scores, image.scores, atol=1e-6)
        np.testing.assert_allclose(instances.ipsilateral, found.ipsilateral, atol=1e-5)
        np.testing.assert_allclose(instances.contralateral, found.contralateral, atol=1e-5)


def test_one_view_alone_keeps_the_order_of_its_detections():
    (sample,) = samples_of(decoy_exams(1)[:1])
    before = sample.pred_instances.scores.argsort()
    rescore_samples([sample], WEIGHTS)
    assert (sample.pred_instances.scores.argsort() == before).all()
    assert sample.pred_instances.ipsilateral.isnan().all()


def config(folder, *metrics):
    dataset = {'data_root': str(folder), 'ann_file': 'annotations/test.json'}
    return Config({'test_dataloader': {'dataset': dataset}, 'test_evaluator': [{'type': name} for name in metrics]})


@pytest.fixture
def decoy_set(tmp_path):
    images = decoy_exams(2)
    write_decoy_set(tmp_path, 'test', images)
    CrossViewWeights(chosen_on=SplitRecord.of('val', ['a'])).save(tmp_path / 'cross_view.json')
    return tmp_path


def test_every_metric_of_boxes_is_told_and_no_other(decoy_set):
    cfg = config(decoy_set, 'mmmammo.FROCMetric', 'mmmammo.PredictionDump', 'mmmammo.HeatmapDump')
    use_cross_view(cfg, decoy_set / 'cross_view.json')
    told = [evaluator.get('cross_view') for evaluator in cfg.test_evaluator]
    assert told == [str(decoy_set / 'cross_view.json')] * 2 + [None]


def test_a_classifier_has_nothing_to_score_anew(decoy_set):
    with pytest.raises(MammoError, match='test_evaluator: found no metric of detections'):
        use_cross_view(config(decoy_set, 'mmmammo.AUCMetric'), decoy_set / 'cross_view.json')


def test_weights_of_the_tested_patients_are_refused(decoy_set):
    patients = sorted({image.patient_id for image in decoy_exams(2)})
    CrossViewWeights(chosen_on=SplitRecord.of('renamed', patients)).save(decoy_set / 'cross_view.json')
    with pytest.raises(MammoError, match='the same 2 rows'):
        use_cross_view(config(decoy_set, 'mmmammo.FROCMetric'), decoy_set / 'cross_view.json')
