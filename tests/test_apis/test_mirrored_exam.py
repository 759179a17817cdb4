"""A mirrored woman, from her files on: every image flipped, her sides exchanged, her landmarks found anew."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from scipy.optimize import linear_sum_assignment

from mmmammo.apis import ExamInferencer
from mmmammo.apis.runs import for_testing
from mmmammo.phantom import PhantomConfig, make_exam

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'agrcnn_phantom.py'


@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    """A twin whose neck has learned something."""
    torch.manual_seed(0)
    cfg = for_testing(Config.fromfile(CONFIG))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(copy.deepcopy(cfg.model))
    with torch.no_grad():
        for parameter in model.neck[1].parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.2)
    path = tmp_path_factory.mktemp('weights') / 'epoch_1.pth'
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': ('mass',)}}}, path)
    return ExamInferencer(CONFIG, path, device='cpu', score_thr=0.0)


def other_side(name):
    """Such as R_CC of L_CC."""
    return {'L': 'R', 'R': 'L'}[name[0]] + name[1:]


@pytest.fixture(scope='module')
def results(inferencer, tmp_path_factory):
    """By name of the view: of an exam, of its mirror image, and of its first view alone."""
    root = tmp_path_factory.mktemp('exams')
    views = {
        view.name: (view.image * 65535).astype(np.uint16) for view in make_exam(PhantomConfig(height=320), 3).views
    }
    exams = {
        'straight': views,
        'mirrored': {other_side(name): pixels[:, ::-1] for name, pixels in views.items()},
        'alone': {'L_CC': views['L_CC']},
    }
    for exam, images in exams.items():
        (root / exam).mkdir()
        for name, pixels in images.items():
            cv2.imwrite(str(root / exam / f'{name}.png'), pixels)
    return {
        exam.exam_id: {f'{i.prepared.image.laterality}_{i.prepared.image.view}': i for i in exam.images}
        for exam in inferencer(root)
    }


def twins(results):
    """Each view with the one that shows the same after preparation."""
    return [(image, results['mirrored'][other_side(name)]) for name, image in results['straight'].items()]


def test_prepared_images_are_the_same(results):
    for image, twin in twins(results):
        np.testing.assert_array_equal(image.prepared.pixels, twin.prepared.pixels)
        assert image.prepared.image.affine.is_mirrored != twin.prepared.image.affine.is_mirrored


def test_landmarks_found_anew_are_at_the_same_places(results):
    for image, twin in twins(results):
        np.testing.assert_allclose(image.nodes, twin.nodes, atol=0.5)


def test_detections_are_the_same(results):
    for image, twin in twins(results):
        boxes = [i.prepared.image.affine.boxes(i.boxes) for i in (image, twin)]
        assert len(boxes[0]) == len(boxes[1]) > 0
        apart = np.abs(boxes[0][:, None] - boxes[1]).max(axis=2)
        rows, columns = linear_sum_assignment(apart)
        np.testing.assert_allclose(boxes[0][rows], boxes[1][columns], atol=0.5)
        np.testing.assert_allclose(image.scores[rows], twin.scores[columns], atol=1e-3)
        np.testing.assert_array_equal(image.labels[rows], twin.labels[columns])


def test_partners_matter_to_them(results):
    """Else the tests above would tell nothing of how views are paired."""
    together, alone = results['straight']['L_CC'], results['alone']['L_CC']
    assert np.abs(together.scores[:5] - alone.scores[:5]).max() > 0.01
