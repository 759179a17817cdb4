"""Swin transformers on images smaller than one of their windows."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_dino import batch

from mmmammo.models import GraySwin
from mmmammo.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize('size', [(20, 16), (3, 3), (1, 1), (1, 47)])
@pytest.mark.parametrize('with_cp', [False, True])
def test_image_smaller_than_a_window(size, with_cp):
    # Windows of 12 cells of 4 px: 48 px in the first stage, eight times that in the last.
    torch.manual_seed(0)
    backbone = GraySwin(
        embed_dims=8,
        depths=(2, 2, 2, 2),
        num_heads=(1, 1, 2, 2),
        window_size=12,
        out_indices=(1, 2, 3),
        with_cp=with_cp,
    )
    images = torch.rand(2, 1, *size)
    outputs = backbone(images)
    cells = [[-(-side // stride) for side in size] for stride in (8, 16, 32)]
    assert [list(o.shape) for o in outputs] == [[2, c, *grid] for c, grid in zip((16, 32, 64), cells, strict=True)]
    assert all(o.isfinite().all() for o in outputs)
    if min(size) > 1:
        assert not torch.allclose(outputs[-1][0], outputs[-1][1])
    sum(o.square().sum() for o in outputs).backward()
    gradient = backbone.patch_embed.projection.weight.grad
    assert gradient.isfinite().all() and gradient.abs().sum() > 0


@pytest.mark.parametrize('size', [(16, 12), (9, 5)])
def test_dino_of_swin_on_an_image_smaller_than_its_window(size):
    cfg = Config.fromfile(CONFIGS / 'ihrrb_dino_swinl_4scale_phantom.py').model
    init_default_scope('mmdet')
    assert 4 * cfg.backbone.window_size > max(size)
    cells = sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in (8, 16, 32, 64))
    cfg.update(num_queries=cells)
    cfg.test_cfg.max_per_img = cells
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    height, width = size
    images, samples = batch([[[1.0, 1.0, width - 1.0, height - 2.0]], []], size)
    parts = model.train().loss(images, samples)
    total = sum(value.sum() for value in parts.values())
    total.backward()
    assert total.isfinite() and model.backbone.patch_embed.projection.weight.grad.abs().sum() > 0
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    with torch.no_grad():
        found = [sample.pred_instances for sample in model.eval().predict(images, samples)]
    for instances in found:
        boxes = instances.bboxes
        assert len(boxes) == cells and boxes.isfinite().all() and (boxes >= 0).all()
        assert (boxes <= torch.tensor([width, height, width, height])).all()
