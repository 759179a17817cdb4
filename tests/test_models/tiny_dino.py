"""A DINO small enough to try anything on, and batches for it."""

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmammo.registry import MODELS

DIM = 16


def tiny_cfg(num_classes=1, num_queries=12, levels=2, layers=2, **changes):
    """A config as mmdet's DINO takes it; ``changes`` replaces entries."""
    init_default_scope('mmdet')
    attention = {'embed_dims': DIM, 'num_heads': 2, 'dropout': 0.0}
    deformable = {**attention, 'num_levels': levels, 'num_points': 2}
    ffn = {'embed_dims': DIM, 'feedforward_channels': 2 * DIM, 'ffn_drop': 0.0}
    costs = [
        {'type': 'FocalLossCost', 'weight': 2.0},
        {'type': 'BBoxL1Cost', 'weight': 5.0, 'box_format': 'xywh'},
        {'type': 'IoUCost', 'iou_mode': 'giou', 'weight': 2.0},
    ]
    return {
        'type': 'mmmammo.MammoDINO',
        'num_queries': num_queries,
        'with_box_refine': True,
        'as_two_stage': True,
        'num_feature_levels': levels,
        'data_preprocessor': {'type': 'mmmammo.ExamDataPreprocessor'},
        'backbone': {
            'type': 'ResNet',
            'depth': 18,
            'in_channels': 1,
            'base_channels': 8,
            'num_stages': 2,
            'strides': (1, 2),
            'dilations': (1, 1),
            'out_indices': (1,),
        },
        'neck': {
            'type': 'ChannelMapper',
            'in_channels': [16],
            'out_channels': DIM,
            'norm_cfg': {'type': 'GN', 'num_groups': 4},
            'act_cfg': None,
            'num_outs': levels,
        },
        'encoder': {'num_layers': 2, 'layer_cfg': {'self_attn_cfg': deformable, 'ffn_cfg': ffn}},
        'decoder': {
            'num_layers': layers,
            'return_intermediate': True,
            'layer_cfg': {'self_attn_cfg': attention, 'cross_attn_cfg': deformable, 'ffn_cfg': ffn},
            'post_norm_cfg': None,
        },
        'positional_encoding': {'num_feats': DIM // 2, 'normalize': True, 'offset': 0.0, 'temperature': 20},
        'bbox_head': {
            'type': 'mmmammo.MammoDINOHead',
            'num_classes': num_classes,
            'embed_dims': DIM,
            'sync_cls_avg_factor': True,
            'loss_cls': {'type': 'FocalLoss', 'use_sigmoid': True, 'gamma': 2.0, 'alpha': 0.25, 'loss_weight': 1.0},
            'loss_bbox': {'type': 'L1Loss', 'loss_weight': 5.0},
            'loss_iou': {'type': 'GIoULoss', 'loss_weight': 2.0},
        },
        'dn_cfg': {'group_cfg': {'dynamic': True, 'num_dn_queries': 10}},
        'train_cfg': {'assigner': {'type': 'HungarianAssigner', 'match_costs': costs}},
        'test_cfg': {'max_per_img': 8},
        **changes,
    }


def as_mmdet(cfg):
    """The same for mmdet's own classes."""
    head = {**cfg['bbox_head'], 'type': 'DINOHead'}
    dn_cfg = {'label_noise_scale': 0.5, 'box_noise_scale': 1.0, **cfg['dn_cfg']}
    return {**cfg, 'type': 'DINO', 'bbox_head': head, 'dn_cfg': dn_cfg}


def tiny_dino(seed=0, **changes):
    """The model, weights drawn and moved off their start, so that every path carries something."""
    torch.manual_seed(seed)
    model = MODELS.build(tiny_cfg(**changes))
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model


def batch(boxes, size=(64, 48), labels=None, seed=0):
    """Inputs and data samples of one image per entry of ``boxes`` (a list of xyxy each)."""
    images = torch.from_numpy(np.random.default_rng(seed).random((len(boxes), 1, *size), dtype=np.float32))
    meta = {'img_shape': size, 'ori_shape': size, 'batch_input_shape': size, 'scale_factor': (1.0, 1.0)}
    samples = []
    for i, rows in enumerate(boxes):
        sample = DetDataSample(metainfo={**meta, 'img_id': i})
        truth = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
        kinds = (
            torch.zeros(len(truth), dtype=torch.long) if labels is None else torch.tensor(labels[i], dtype=torch.long)
        )
        sample.gt_instances = InstanceData(bboxes=truth, labels=kinds)
        samples.append(sample)
    return images, samples
