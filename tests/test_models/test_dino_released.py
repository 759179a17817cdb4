"""The DINO that MMDetection released, in our detector: its weights load and its answers stay.

The file is not ours to distribute: set MMMAMMO_DINO_COCO to the checkpoint of MMDetection's
``dino-4scale_r50_8xb2-12e_coco`` (AP 49.0 on COCO; its model zoo has the address).
"""

import copy
import os
from pathlib import Path

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import init_default_scope

from mmmammo.engine.checkpoint import load_checkpoint
from mmmammo.registry import MODELS

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'ihrrb_dino_r50_4scale_birads.py'
SIZE = (320, 256)


def ours(**backbone):
    """Our config as MMDetection has it: 80 classes, a head per layer and labels as its denoising draws them."""
    cfg = Config.fromfile(CONFIG).model
    cfg.backbone.update(init_cfg=None, **backbone)
    cfg.bbox_head.update(num_classes=80, share_layers=False)
    cfg.dn_cfg.label_noise = 'uniform'
    return MODELS.build(cfg)


@pytest.fixture(scope='module')
def released():
    """Stock MMDetection's model with the weights, and they."""
    path = os.environ.get('MMMAMMO_DINO_COCO')
    if not path:
        pytest.skip("set MMMAMMO_DINO_COCO to MMDetection's checkpoint of dino-4scale_r50_8xb2-12e_coco")
    init_default_scope('mmdet')
    weights = load_checkpoint(path)['state_dict']
    cfg = get_config('mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py').model
    cfg.backbone.init_cfg = None
    return filled(MODELS.build(cfg), weights), weights


def filled(model, weights):
    """With every weight from the file."""
    missing, _ = model.load_state_dict(weights, strict=False)
    assert not missing
    return model.eval()


def answers(model, images):
    """Detections, and logits and boxes of every layer and query."""
    meta = {'img_shape': SIZE, 'ori_shape': SIZE, 'batch_input_shape': SIZE, 'scale_factor': (1.0, 1.0)}
    samples = [DetDataSample(metainfo=copy.deepcopy(meta)) for _ in images]
    with torch.no_grad():
        layers = model.bbox_head(**model.forward_transformer(model.extract_feat(images), samples))
        (found,) = (sample.pred_instances for sample in model.predict(images, samples))
    return [*layers, found.bboxes, found.scores, found.labels]


def test_detections_are_those_of_mmdetection(released):
    stock, weights = released
    model = filled(ours(in_channels=3), weights)
    images = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    for mine, theirs in zip(answers(model, images), answers(stock, images), strict=True):
        assert torch.equal(mine, theirs)


def test_grey_images_are_seen_as_three_equal_channels(released):
    stock, weights = released
    model = filled(ours(stem_adaptation='sum'), dict(weights))
    grey = torch.randn(1, 1, *SIZE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mine, theirs = (m.extract_feat(x) for m, x in ((model, grey), (stock, grey.expand(-1, 3, -1, -1))))
    for found, expected in zip(mine, theirs, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
