"""The graphs that the configs of paper 1's classifier build: sizes, maps, schedule."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope

from mmmammo.engine.inference import speed_up
from mmmammo.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BACKBONES = {
    'patch_effnetv2s': 20177488,
    'patch/patch_resnet50': 23508032,
    'patch/patch_densenet121': 6953856,
    'patch/patch_swint': 27519354,
    'patch/patch_mobilenetv2': 2223872,
    'patch/patch_mobilenetv3': 2971952,
    'patch/patch_vgg19': 20024384,
}
"""Parameters without any classifier, as in timm."""


def build(name):
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.pop('init_cfg', None)
    return cfg, MODELS.build(copy.deepcopy(cfg.model))


@pytest.mark.parametrize('name', BACKBONES)
def test_full_graphs_have_the_published_sizes(name):
    cfg, model = build(f'{name}_vindr')
    assert sum(p.numel() for p in model.backbone.parameters()) == BACKBONES[name]
    assert model.neck is None and model.head.num_classes == len(cfg.findings) == 10
    assert model.head.hidden.in_features == cfg.model.head.in_channels


@pytest.mark.parametrize('name', BACKBONES)
def test_a_twin_has_one_cell_per_32_pixels(name):
    cfg, model = build(f'{name}_phantom')
    model.eval()
    with torch.no_grad():
        (features,) = model.extract_feat(torch.rand(1, 3, 96, 64))
        assert features.shape[2:] == (3, 2)
        scores = model.head.score_map(features, cfg.window // 32)
        torch.testing.assert_close(scores[:, :, 0, 0], model.head((features[:, :, :2],)))
    assert sum(p.numel() for p in model.parameters()) < 12e6


@pytest.mark.parametrize('name', BACKBONES)
def test_a_twin_says_the_same_when_it_is_sped_up(name):
    _, model = build(f'{name}_phantom')
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # else folding changes nothing
            for values, low, high in ((module.running_mean, -0.2, 0.2), (module.running_var, 0.5, 2)):
                torch.nn.init.uniform_(values, low, high)
            torch.nn.init.uniform_(module.weight, 0.5, 2)
    model.eval()
    windows = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        slow = model.head(model.extract_feat(windows))
        fast = speed_up(model)
        torch.testing.assert_close(fast.head(fast.extract_feat(windows)), slow, rtol=1e-3, atol=1e-4)


def test_the_rate_falls_to_a_tenth_after_six_epochs_without_a_better_loss():
    cfg = Config.fromfile(CONFIGS / 'patch_effnetv2s_vindr.py')
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=cfg.optim_wrapper.optimizer.lr)
    (schedule,) = cfg.param_scheduler
    scheduler = PARAM_SCHEDULERS.build(dict(schedule), default_args={'optimizer': OptimWrapper(optimizer)})
    rates = []
    for _ in range(14):  # the first loss is the best, then six that are no better, twice
        rates.append(optimizer.param_groups[0]['lr'])
        scheduler.step({'focal/loss': 0.1})
    assert rates == pytest.approx([1e-4] * 7 + [1e-5] * 6 + [1e-6])
