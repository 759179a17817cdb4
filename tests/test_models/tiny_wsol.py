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


def fine_localiser(method, seed=0):
    """The same with 8 x 8 cells of an image of 64 instead of 4 x 4."""
    cfg = copy.deepcopy(tiny_config(method, **({'stride': 8} if method == 'spg' else {})))
    cfg['backbone']['large_feature_map'] = True
    torch.manual_seed(seed)
    model = MODELS.build(cfg)
    model.init_weights()
    return model


def striped_squares(n, generator, side=24):
    """A batch of dark images of 64, each with two squares of stripes, and the place of each first square.

    Stripes stand, but for those of the first square of every other image, which lie: that is class 1. Both kinds are
    as bright, so no network prefers the right one before it learns.
    """
    images, samples, squares = [], [], []
    standing = (torch.arange(side) // 2 % 2).float().expand(side, side)
    for i in range(n):
        image = 0.1 * torch.rand(1, 64, 64, generator=generator)
        corners = []
        for quarter in torch.randperm(4, generator=generator)[:2].tolist():
            shift = torch.randint(0, 9, (2,), generator=generator).tolist()
            x, y = 32 * (quarter % 2) + shift[0], 32 * (quarter // 2) + shift[1]
            lies = i % 2 and not corners
            image[0, y : y + side, x : x + side] += 0.9 * (standing.T if lies else standing)
            corners.append([x, y, x + side, y + side])
        images.append(image)
        squares.append(corners[0])
        meta = {'img_shape': (64, 64), 'scale_factor': (1.0, 1.0), 'ori_shape': (64, 64)}
        samples.append(DataSample(metainfo=meta).set_gt_label(i % 2))
    return {'inputs': images, 'data_samples': samples}, squares


def tiny_batch(n=4, side=64, seed=0):
    """Grey noise, every other image of class 1, as the collate gives it."""
    generator = torch.Generator().manual_seed(seed)
    images = [torch.rand(1, side, side, generator=generator) for _ in range(n)]
    meta = {'img_shape': (side, side), 'scale_factor': (0.5, 0.25), 'ori_shape': (side * 4, side * 2)}
    return {'inputs': images, 'data_samples': [DataSample(metainfo=meta).set_gt_label(i % 2) for i in range(n)]}
