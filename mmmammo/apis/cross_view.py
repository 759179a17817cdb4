"""Cross-view rescoring where detections come from a model: in a test run, and on the exams of a user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from mmmammo.anatomy import cross_view_evidence
from mmmammo.apis.run_results import tested_set
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.evaluation.metrics import DetectionMetric
from mmmammo.io.ground_truth import read_ground_truth
from mmmammo.models.layers.exam_context import meta_of
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction, MammoError


def use_cross_view(cfg: Config, path: str | Path) -> None:
    """Let every metric of detections score them anew, also those that only write files.

    Args:
        cfg: With its test evaluator, which is changed.
        path: File of ``tools/fit_cross_view.py``.

    Raises:
        MammoError: If the file cannot be used, was fitted on what is tested, or no metric reads boxes.
    """
    dataset = tested_set(cfg)
    truth = read_ground_truth(Path(dataset.data_root, dataset.ann_file))
    CrossViewWeights.load(path).require_other(truth.images, truth.split)
    of_boxes = [one for one in cfg.test_evaluator if issubclass(METRICS.get(one.type) or object, DetectionMetric)]
    if not of_boxes:
        raise MammoError(
            cfg.filename or 'config',
            field='test_evaluator',
            found='no metric of detections',
            expected='one, such as mmmammo.FROCMetric',
            remedy='leave --cross-view out: it is for detectors',
        )
    for evaluator in of_boxes:
        evaluator.cross_view = str(path)


def rescore_samples(samples: Sequence[DetDataSample], weights: CrossViewWeights) -> None:
    """Score the detections of one exam anew, in place.

    Args:
        samples: All images of one exam, with ``pred_instances`` in prepared pixels and the metainfo ``laterality``,
            ``view`` and ``landmarks``. Instances get ``detector_scores``, ``ipsilateral`` and ``contralateral`` beside
            their new ``scores``; see :class:`~mmmammo.structures.CrossViewEvidence`.
        weights: Fitted for this model.
    """
    for sample, found in zip(samples, cross_view_evidence(list(map(_prediction, samples))), strict=True):
        instances = sample.pred_instances
        instances.detector_scores = instances.scores
        for name, values in (
            ('scores', weights.apply(found)),
            ('ipsilateral', found.ipsilateral),
            ('contralateral', found.contralateral),
        ):
            instances.set_field(torch.from_numpy(values).to(instances.scores), name)


def _prediction(sample: DetDataSample) -> ImagePrediction:
    found = sample.pred_instances
    return ImagePrediction(
        image_id=0,
        exam_id='one',
        laterality=str(meta_of(sample, 'laterality')),
        view=str(meta_of(sample, 'view')),
        boxes=found.bboxes.detach().double().cpu().numpy(),
        scores=found.scores.detach().double().cpu().numpy(),
        landmarks=meta_of(sample, 'landmarks'),
    )
