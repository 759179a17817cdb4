"""Exams small enough for a test: batches as the collate gives them, without any file behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from mmmammo.models.layers.graph_prior import ideal_template
from mmmammo.structures import STANDARD_VIEWS, View

FOUR_VIEWS = (('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO'))


def view_sample(
    exam_id: str,
    laterality: str,
    view: str,
    *,
    size: tuple[int, int] = (128, 96),
    num_nodes: tuple[int, int] = (22, 26),
    boxes: Sequence[Sequence[float]] = (),
    rng: np.random.Generator | None = None,
    **metainfo: Any,
) -> DetDataSample:
    """A data sample of one view of a half-ellipse breast.

    Args:
        exam_id: Groups the views.
        laterality: 'L', 'R' or 'U'.
        view: A view abbreviation; only CC and MLO get nodes.
        size: (h, w) of the image.
        num_nodes: (CC, MLO).
        boxes: Lesions, xyxy.
        rng: Moves the nodes by a pixel or two, so that no two views are alike; exact positions without one.
        **metainfo: Replaces anything of the metainfo.
    """
    height, width = size
    nodes = mask = None
    if view in STANDARD_VIEWS:
        nodes = ideal_template(View(view), num_nodes[STANDARD_VIEWS.index(view)]) * (0.8 * width, height)
        if rng is not None:
            nodes = nodes + rng.uniform(-2, 2, nodes.shape)
        mask = _half_ellipse((-(-height // 4), -(-width // 4)))
    sample = DetDataSample(
        metainfo={
            'img_id': f'{exam_id}-{laterality}-{view}',
            'img_path': f'{exam_id}/{laterality}-{view}.png',
            'ori_shape': size,
            'img_shape': size,
            'scale_factor': (1.0, 1.0),
            'exam_id': exam_id,
            'laterality': laterality,
            'view': view,
            'quality': 1.0,
            'landmarks': None,
            'nodes': None if nodes is None else nodes.astype(np.float32),
            'breast_mask': mask,
            **metainfo,
        }
    )
    sample.gt_instances = _instances(boxes, size)
    return sample


def exam_batch(
    num_exams: int = 1,
    views: Sequence[tuple[str, str]] = FOUR_VIEWS,
    *,
    size: tuple[int, int] = (128, 96),
    seed: int = 0,
    **kwargs: Any,
) -> dict[str, list]:
    """``inputs`` and ``data_samples`` of a few exams of noise, flattened.

    Args:
        num_exams: How many.
        views: (laterality, view) of each image of an exam.
        size: (h, w) of every image.
        seed: Of the noise.
        **kwargs: As in :func:`view_sample`.
    """
    rng = np.random.default_rng(seed)
    samples = [
        view_sample(f'exam{i}', side, view, size=size, rng=rng, **kwargs)
        for i in range(num_exams)
        for side, view in views
    ]
    inputs = [torch.from_numpy(rng.random((1, *size), dtype=np.float32)) for _ in samples]
    return {'inputs': inputs, 'data_samples': samples}


def _half_ellipse(shape: tuple[int, int]) -> np.ndarray:
    """(h, w) bool: a breast with its chest wall on the left edge, 80 % of the width deep."""
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    return (xs / (0.8 * shape[1])) ** 2 + (2 * ys / shape[0] - 1) ** 2 <= 1


def _instances(boxes: Sequence[Sequence[float]], size: tuple[int, int]) -> InstanceData:
    masks = np.zeros((len(boxes), *size), dtype=np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, np.asarray(boxes, dtype=int).reshape(-1, 4), strict=True):
        mask[y1:y2, x1:x2] = 1
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.zeros(len(boxes), dtype=torch.long),
        masks=BitmapMasks(masks, *size),
    )
