"""A model made faster finds what it found before."""

import copy
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmmammo.apis.runs import for_testing
from mmmammo.engine.inference import speed_up
from mmmammo.testing.exam_samples import exam_batch

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


# A graph neck hands levels to the RoI heads that have their channels outermost again; the other two do not.
@pytest.fixture(scope='module', params=['agrcnn_phantom', 'maskrcnn_phantom', 'agrcnn/xattn_phantom'])
def model(request):
    torch.manual_seed(0)
    cfg = for_testing(Config.fromfile(CONFIGS / f'{request.param}.py'))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(copy.deepcopy(cfg.model))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics that folding must not lose
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


@torch.no_grad()
def test_same_detections(model):
    batch = exam_batch(size=(128, 96))
    before = model.test_step(copy.deepcopy(batch))
    fast = speed_up(copy.deepcopy(model))
    after = fast.test_step(copy.deepcopy(batch))
    assert sum(len(sample.pred_instances) for sample in before) > 0
    for ours, theirs in zip(after, before, strict=True):
        torch.testing.assert_close(ours.pred_instances.scores, theirs.pred_instances.scores, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(ours.pred_instances.bboxes, theirs.pred_instances.bboxes, rtol=1e-3, atol=1e-2)


def test_norms_are_folded_and_layout_is_channels_last(model):
    fast = speed_up(copy.deepcopy(model))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.backbone.modules())
    data = fast.data_preprocessor(exam_batch(size=(128, 96)))
    assert data['inputs'].is_contiguous(memory_format=torch.channels_last)
    kernel = fast.backbone.layer1[0].conv1.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert not model.data_preprocessor.channels_last, 'the copy only'
