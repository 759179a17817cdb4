"""The second stage: patches of detections to probabilities."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.apis import MalignancyClassifier
from mmmammo.apis.exam_files import panel_view
from mmmammo.apis.exam_inferencer import ExamInferencer
from mmmammo.apis.runs import for_testing
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions
from mmmammo.structures import MammoError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CONFIG = CONFIGS / 'agrcnn' / 'malignancy_resnet_cbam_phantom.py'
DETECTOR = CONFIGS / 'maskrcnn_phantom.py'


def save_weights(config, path, classes, change=None):
    torch.manual_seed(0)
    cfg = for_testing(Config.fromfile(config))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(copy.deepcopy(cfg.model))
    if change is not None:
        change(model)
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': classes}}}, path)
    return path


def answer_by_brightness(model):
    """The last layer tells bright from dark patches, as far as an untrained network does."""
    torch.nn.init.normal_(model.head.fc.weight, std=20.0)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'patches.pth'
    return save_weights(CONFIG, path, ('benign', 'malignant'), answer_by_brightness)


@pytest.fixture(scope='module')
def classifier(checkpoint):
    return MalignancyClassifier(CONFIG, checkpoint)


def test_each_box_is_judged_by_itself(classifier):
    image = np.random.default_rng(0).random((120, 90), dtype=np.float32)
    boxes = np.array([[10, 10, 30, 40], [50, 50, 50, 80], [60, 70, 85, 110]], dtype=float)
    scores = classifier(image, boxes)
    assert scores.shape == (3,) and np.isnan(scores[1])
    assert ((scores[[0, 2]] >= 0) & (scores[[0, 2]] <= 1)).all()
    np.testing.assert_allclose(classifier(image, boxes[2:]), scores[2:], atol=1e-5)
    assert classifier(image, np.empty((0, 4))).shape == (0,)


def test_a_checkpoint_that_knows_no_malignancy_is_refused(tmp_path):
    path = save_weights(CONFIG, tmp_path / 'mass.pth', ('mass', 'calcification'))
    with pytest.raises(MammoError, match=r"mass\.pth.*expected \('benign', 'malignant'\)"):
        MalignancyClassifier(CONFIG, path)


def test_a_checkpoint_of_another_model_is_refused(tmp_path, checkpoint):
    weights = torch.load(checkpoint, weights_only=True)
    weights['state_dict'].pop('head.fc.bias')
    torch.save(weights, tmp_path / 'other.pth')
    with pytest.raises(MammoError, match=r'other\.pth.*missing \(e\.g\. head\.fc\.bias\)'):
        MalignancyClassifier(CONFIG, tmp_path / 'other.pth')


def test_files_are_prepared_as_the_patches_were_learned(checkpoint, tmp_path):
    """A patch of finer pixels, shrunk to its size, looks smoother than those that the classifier saw."""
    detector = save_weights(DETECTOR, tmp_path / 'detector.pth', ('mass',))
    cfg = Config.fromfile(CONFIG)
    cfg.test_dataloader.dataset.data_root = str(tmp_path)
    cfg.dump(tmp_path / 'patches.py')
    stage = (tmp_path / 'patches.py', checkpoint)
    with pytest.raises(MammoError, match=r'prepare\.json.*--prepared-as'):
        ExamInferencer(DETECTOR, detector, 'cpu', second_stage=stage)
    (tmp_path / 'prepare.json').write_text('{"options": {"height": 128}}')
    assert ExamInferencer(DETECTOR, detector, 'cpu', second_stage=stage).options == PrepareOptions(height=128)
    options = PrepareOptions(height=96)
    assert ExamInferencer(DETECTOR, detector, 'cpu', second_stage=stage, options=options).options == options


def test_detections_of_a_single_view_model_get_malignancy_and_pairs(checkpoint, tmp_path):
    for view in make_exam(PhantomConfig(height=256), seed=3).views:
        (tmp_path / 'exam').mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / 'exam' / f'{view.name}.png'), (view.image * 65535).astype(np.uint16))
    detector = save_weights(DETECTOR, tmp_path / 'detector.pth', ('mass',))
    infer = ExamInferencer(
        DETECTOR, detector, 'cpu', score_thr=0.0, second_stage=(CONFIG, checkpoint), options=PrepareOptions()
    )
    (exam,) = infer(tmp_path / 'exam')
    for image in exam.images:
        assert len(image.malignancy) == len(image.boxes) > 0
    judged = infer.judge(exam.images[0].prepared.pixels, exam.images[0].prepared_boxes)
    np.testing.assert_allclose(exam.images[0].malignancy, judged, atol=1e-5)
    assert exam.pairs and exam.images[exam.pairs[0].image_id].lesions[exam.pairs[0].detection] == 'A'
    first = exam.to_json(('mass',))['images'][0]['detections'][0]
    assert first['malignancy'] == pytest.approx(exam.images[0].malignancy[0], abs=1e-5)
    assert panel_view(exam.images[0]).notes[0] == f'mal. {exam.images[0].malignancy[0]:.2f}'
