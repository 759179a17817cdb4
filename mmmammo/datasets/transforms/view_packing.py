"""From the results of a pipeline to the sample that a classifier receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData
from mmpretrain.datasets.transforms import PackInputs

from mmmammo.registry import TRANSFORMS

VIEW_META_KEYS = (
    'sample_idx',
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'homography_matrix',
    'exam_id',
    'patient_id',
    'laterality',
    'breast_side',
    'view',
    'pixel_spacing_mm',
    'affine',
    'labels',
)
"""What a classifier's data sample carries besides its target."""


@TRANSFORMS.register_module()
class PackView(PackInputs):
    """mmpretrain's ``PackInputs``, with the identity that metrics need and, at test time, the true boxes.

    Required Keys:

    - img
    - gt_label or gt_score
    - gt_boxes, gt_boxes_labels (optional, in prepared pixels)

    Added Keys (of the data sample):

    - gt_instances (bboxes, labels; where there are gt_boxes)

    Args:
        meta_keys: Keys copied to the meta information, where present.
        **kwargs: As mmpretrain's ``PackInputs``.
    """

    def __init__(self, meta_keys: Sequence[str] = VIEW_META_KEYS, **kwargs: Any) -> None:
        super().__init__(meta_keys=tuple(meta_keys), **kwargs)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``{'inputs': (1, h, w) tensor, 'data_samples': DataSample}``."""
        packed = super().transform(results)
        if 'gt_boxes' in results:
            truth = InstanceData(
                bboxes=torch.from_numpy(results['gt_boxes']), labels=torch.from_numpy(results['gt_boxes_labels'])
            )
            packed['data_samples'].set_field(truth, 'gt_instances', dtype=InstanceData)
        return packed
