"""Paper 0's detectors at full size: what they weigh, and what their configs say."""

from functools import partial
from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_dino import batch

from mmmammo.evaluation.functional import SIZE_CLASSES
from mmmammo.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def build_on_meta(name, num_classes=1, share_layers=False, uniform=True):
    """The model without its numbers, as mmdet has it: three channels, and a label embedding per class."""
    cfg = Config.fromfile(CONFIGS / f'ihrrb_dino_{name}_birads.py').model
    init_default_scope('mmdet')
    cfg.backbone.update(init_cfg=None, in_channels=3)
    cfg.bbox_head.update(num_classes=num_classes, share_layers=share_layers)
    cfg.dn_cfg.label_noise = 'uniform' if uniform else 'other'
    on_cpu = partial(torch.linspace, device='cpu')  # Swin reads its drop rates from one
    with torch.device('meta'), mock.patch.object(torch, 'linspace', on_cpu):
        return MODELS.build(cfg)


def count(module):
    return sum(p.numel() for p in module.parameters())


def head_of(num_classes):
    """A classifier, and a regressor of three layers of 256."""
    return 256 * num_classes + num_classes + 2 * (256 * 256 + 256) + 256 * 4 + 4


@pytest.mark.parametrize(('num_classes', 'parameters'), [(80, 47_833_484), (1, 47_671_139)])
def test_r50_has_as_many_parameters_as_mmdets(num_classes, parameters):
    assert count(build_on_meta('r50_4scale', num_classes)) == parameters


NUMBERS = {
    'num_queries': 900,
    'encoder.num_layers': 6,
    'decoder.num_layers': 6,
    'encoder.layer_cfg.self_attn_cfg.embed_dims': 256,
    'encoder.layer_cfg.ffn_cfg.feedforward_channels': 2048,
    'decoder.layer_cfg.self_attn_cfg.num_heads': 8,
    'positional_encoding.temperature': 20,
    'dn_cfg.pos_noise_scale': 1.0,
    'dn_cfg.neg_noise_scale': 2.0,
    'dn_cfg.label_noise_scale': 0.5,
    'dn_cfg.group_cfg.num_dn_queries': 100,
    'bbox_head.loss_cls.loss_weight': 1.0,
    'bbox_head.loss_cls.alpha': 0.25,
    'bbox_head.loss_cls.gamma': 2.0,
    'bbox_head.loss_bbox.loss_weight': 5.0,
    'bbox_head.loss_iou.loss_weight': 2.0,
    'test_cfg.max_per_img': 300,
}
"""Hyper-parameters, for the three headline configs alike."""


@pytest.mark.parametrize(
    ('name', 'milestones'), [('r50_4scale', [30]), ('r50_5scale', [30]), ('swinl_4scale', [27, 33])]
)
def test_headline_configs_have_the_numbers_of_the_method(name, milestones):
    cfg = Config.fromfile(CONFIGS / f'ihrrb_dino_{name}_birads.py')

    def value(path):
        found = cfg.model
        for key in path.split('.'):
            found = found[key]
        return found

    assert {path: value(path) for path in NUMBERS} == NUMBERS
    costs = {cost.type: cost.weight for cost in cfg.model.train_cfg.assigner.match_costs}
    assert costs == {'FocalLossCost': 2.0, 'BBoxL1Cost': 5.0, 'IoUCost': 2.0}
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ('AdamW', 1e-4, 1e-4)
    assert cfg.optim_wrapper.clip_grad == {'max_norm': 0.1, 'norm_type': 2}
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult == 0.1
    assert cfg.train_cfg.max_epochs == 36 and cfg.param_scheduler[0].milestones == milestones
    assert cfg.auto_scale_lr.base_batch_size == 16


@pytest.mark.slow
def test_r50_at_its_own_depth_and_with_all_queries_takes_a_step():
    cfg = Config.fromfile(CONFIGS / 'ihrrb_dino_r50_4scale_birads.py').model
    init_default_scope('mmdet')
    cfg.backbone.init_cfg = None
    model = MODELS.build(cfg).train()
    images, samples = batch([[[60.0, 50.0, 100.0, 90.0]]], size=(256, 224))  # 1,190 tokens, of which 900 are chosen
    losses = model.loss(images, samples)
    total = sum(value.sum() for value in losses.values())
    total.backward()
    assert (
        total.isfinite() and len(losses) == 39
    )  # three of the encoder, and of six layers, each with and without noise
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad and p.grad is not None)


def test_swin_large_part_by_part():
    model = build_on_meta('swinl_4scale')
    parts = {name: count(getattr(model, name)) for name in ('backbone', 'neck', 'encoder', 'decoder', 'bbox_head')}
    assert parts == {
        'backbone': 195_200_820,
        'neck': 4_229_120,
        'encoder': 7_693_056,
        'decoder': 9_603_840,
        'bbox_head': 930_083,
    }
    assert count(model) == 217_954_903


@pytest.mark.parametrize('num_classes', [1, 80])
def test_shared_heads_leave_two_of_seven(num_classes):
    separate, shared = (build_on_meta('r50_4scale', num_classes, share_layers=share) for share in (False, True))
    assert count(separate.bbox_head) == 7 * head_of(num_classes)
    assert count(shared.bbox_head) == 2 * head_of(num_classes)
    assert count(separate) - count(shared) == 5 * head_of(num_classes)  # 0.77 M with 80 classes, 0.66 M with one


def test_the_configs_have_47_0_and_217_3_million():
    """The paper says 47 M and 218 M; mmdet's heads per layer would make 47.7 and 218.0, shared ones make these."""
    found = {
        name: count(build_on_meta(name, share_layers=True, uniform=False)) for name in ('r50_4scale', 'swinl_4scale')
    }
    assert found == {'r50_4scale': 47_006_794 + 256, 'swinl_4scale': 217_290_558 + 256}  # 256: the label "unknown"


def test_sizes_are_those_of_this_package_in_ap_and_atd():
    """Not COCO's, which in images of 2048 lines call nearly every mass large."""
    wanted = {name: (least, min(greatest, 1e5)) for name, (least, greatest) in SIZE_CLASSES.items()}
    evaluators = Config.fromfile(CONFIGS / 'ihrrb_dino_r50_4scale_birads.py').test_evaluator
    found = {one.type: one.get('size_classes') for one in evaluators}
    assert found == {'mmmammo.APMetric': wanted, 'mmmammo.FROCMetric': None, 'mmmammo.ATDMetric': wanted}


def test_five_scales_add_one_level():
    four, five = (build_on_meta(f'r50_{n}scale') for n in (4, 5))
    c2 = 256 * 256 + 2 * 256  # a 1 x 1 convolution without bias, and its GroupNorm
    # 8 heads x 1 level x 4 points: two offsets and a weight each
    per_attention = (8 * 4 * 2 + 8 * 4) * (256 + 1)
    assert count(five) - count(four) == c2 + 12 * per_attention + 256


@pytest.mark.parametrize('name', ['r50_4scale', 'r50_5scale', 'swinl_4scale'])
def test_the_second_stage_differs_in_what_the_paper_says(name):
    first = Config.fromfile(CONFIGS / f'ihrrb_dino_{name}_birads.py')
    second = Config.fromfile(CONFIGS / 'ihrrb_dino' / f'ihrrb_dino_{name}_birads_finetune.py')
    sides = [cfg.train_dataloader.dataset.pipeline[3].transforms[0][0].scales for cfg in (first, second)]
    assert [tuple(s) for s in sides[1]] == [(int(1.5 * short), int(1.5 * long)) for short, long in sides[0]]
    assert second.test_dataloader.dataset.pipeline[1].scale == (1999, 1200)
    assert second.load_from == f'work_dirs/ihrrb_dino_{name}_birads/epoch_{first.train_cfg.max_epochs}.pth'
    assert second.model.pop('encoder').num_cp == 6 and first.model.pop('encoder').num_cp == 0
    assert second.model == first.model
    assert second.optim_wrapper.optimizer.lr == first.optim_wrapper.optimizer.lr / 10


@pytest.mark.parametrize(('row', 'scale'), [('negative1_25', 1.25), ('negative1_5', 1.5), ('nodn', None)])
def test_ablations_change_the_noise_only(row, scale):
    parent = Config.fromfile(CONFIGS / 'ihrrb_dino_r50_4scale_phantom.py')
    row = Config.fromfile(CONFIGS / 'ihrrb_dino' / f'ihrrb_dino_r50_4scale_phantom_{row}.py')
    noise, before = row.model.pop('dn_cfg'), parent.model.pop('dn_cfg')
    assert row.model == parent.model and row.optim_wrapper == parent.optim_wrapper
    assert before.neg_noise_scale == 2.0 and (noise if scale is None else noise.neg_noise_scale) == scale
