"""Localisers small enough for a test."""

import copy

import torch
from mmpretrain.structures import DataSample

from mmmammo.registry import MODELS

CHANNELS = {'layer3.0': 32, 'layer3.1': 32, 'layer4.1': 64}
ATTENTION = {'after': ['layer3.0', 'layer4.0', 'layer4.1']}
METHODS = {
    'cam': {},
    'adl': {'backbone': {'attention_dropout': ATTENTION}},
    'acol': {'head': {'type': 'mmmammo.ACoLHead', 'hidden': (16,)}},
    'spg': {
        'backbone': {'out_steps': tuple(CHANNELS)},
        'head': {'type': 'mmmammo.SPGHead', 'in_channels': tuple(CHANNELS.values()), 'guide_channels': (8, 8)},
    },
}
"""Method -> what it changes of CAM; HaS is CAM on other images."""


def tiny_config(method='cam', **head):
    """A ResNet-18 with 8 channels at its start and the head of a method."""
    change = METHODS[method]
    return {
        'type': 'mmpretrain.ImageClassifier',
        'data_preprocessor': {'type': 'mmpretrain.ClsDataPreprocessor', 'mean': [0.459] * 3, 'std': [0.226] * 3},
        'backbone': {
            'type': 'mmmammo.StepwiseResNet',
            'depth': 18,
            'stem_channels': 8,
            'base_channels': 8,
            **change.get('backbone', {}),
        },
        'head': {'type': 'mmmammo.ClassMapHead', 'in_channels': 64, **change.get('head', {}), **head},
    }


def tiny_localiser(method='cam', seed=0, **head):
    """The same, built and initialised."""
    torch.manual_seed(seed)
    model = MODELS.build(copy.deepcopy(tiny_config(method, **head)))
    model.init_weights()
    return model


def tiny_batch(n=4, side=64, seed=0):
    """Grey noise, every other image of class 1, as the collate gives it."""
    generator = torch.Generator().manual_seed(seed)
    images = [torch.rand(1, side, side, generator=generator) for _ in range(n)]
    meta = {'img_shape': (side, side), 'scale_factor': (0.5, 0.25), 'ori_shape': (side * 4, side * 2)}
    return {'inputs': images, 'data_samples': [DataSample(metainfo=meta).set_gt_label(i % 2) for i in range(n)]}
