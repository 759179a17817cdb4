"""A set that teaches nothing is refused before the first step."""

import json
from types import SimpleNamespace

import pytest
from mmdet.models.detectors import BaseDetector
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import nn

from mmmammo.datasets import ExamDataset, MammogramDataset, ViewClassificationDataset
from mmmammo.engine.hooks import TrainingTruthHook
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

TRAIN = 'annotations/train.json'


class Detector(BaseDetector):
    def loss(self, batch_inputs, batch_data_samples):
        return {}

    predict = _forward = extract_feat = loss


class Classifier(BaseModel):
    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


@pytest.fixture(scope='module')
def with_boxes(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('with'), size=(64, 48))


@pytest.fixture(scope='module')
def without_boxes(tmp_path_factory):
    root = make_prepared_set(tmp_path_factory.mktemp('without'), size=(64, 48))
    document = json.loads((root / TRAIN).read_text())
    (root / TRAIN).write_text(json.dumps(document | {'annotations': []}))
    return root


def check(model, dataset):
    init_default_scope('mmdet')
    loader = SimpleNamespace(dataset=dataset)
    return TrainingTruthHook().before_train(SimpleNamespace(model=model, train_dataloader=loader))


@pytest.mark.parametrize('kind', [MammogramDataset, ExamDataset])
def test_a_detector_needs_a_box(kind, with_boxes, without_boxes):
    assert check(Detector(), kind(TRAIN, data_root=str(with_boxes))) is None
    with pytest.raises(
        MammoError, match=r'annotations: found no box in \d+ samples; expected at least one.*--only'
    ) as info:
        check(Detector(), kind(TRAIN, data_root=str(without_boxes)))
    assert info.value.where.endswith(TRAIN)


def test_a_classifier_needs_two_labels(with_boxes, without_boxes):
    asked = {'labels': 'has_finding', 'classes': ('no mass', 'mass')}
    assert check(Classifier(), ViewClassificationDataset(TRAIN, data_root=str(with_boxes), **asked)) is None
    with pytest.raises(MammoError, match=r'labels has_finding: found 0 for all 16 samples.*has_finding needs boxes'):
        check(Classifier(), ViewClassificationDataset(TRAIN, data_root=str(without_boxes), **asked))
    several = {'labels': ['has_finding'], 'task': 'multilabel'}
    with pytest.raises(MammoError, match=r'found \(0\.0,\) for all 16 samples'):
        check(Classifier(), ViewClassificationDataset(TRAIN, data_root=str(without_boxes), **several))


def test_what_wraps_a_set_is_looked_into(with_boxes, without_boxes):
    full, empty = (MammogramDataset(TRAIN, data_root=str(root)) for root in (with_boxes, without_boxes))
    assert check(Detector(), ConcatDataset([empty, full])) is None
    assert check(Detector(), RepeatDataset(full, 2)) is None
    with pytest.raises(MammoError, match='found no box in 32 samples'):
        check(Detector(), ConcatDataset([empty, empty]))
    asked = {'labels': 'has_finding', 'classes': ('no mass', 'mass')}
    full, empty = (
        ViewClassificationDataset(TRAIN, data_root=str(root), **asked) for root in (with_boxes, without_boxes)
    )
    assert check(Classifier(), ConcatDataset([empty, full])) is None
    with pytest.raises(MammoError, match='found 0 for all 32 samples'):
        check(Classifier(), ConcatDataset([empty, empty]))


def test_models_that_learn_of_other_things_need_no_box(without_boxes):
    assert check(Classifier(), MammogramDataset(TRAIN, data_root=str(without_boxes))) is None
    assert check(nn.Identity(), SimpleNamespace(ann_file='other')) is None
