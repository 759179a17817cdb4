"""Contrastive denoising queries whose positives and negatives have noise of their own."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.layers import CdnQueryGenerator, inverse_sigmoid
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_xyxy_to_cxcywh
from torch import Tensor

from mmmammo.structures import MammoError

LABEL_NOISES = ('uniform', 'other')

Queries = tuple[Tensor, Tensor, Tensor | None, dict[str, int] | None]


class MammoCdnQueryGenerator(CdnQueryGenerator):
    """mmdet's generator, which knows one scale of noise, with lambda1 and lambda2 of paper 0 apart.

    Each side of a lesion (width w, height h) moves by ``u * w / 2`` or ``u * h / 2``, inwards or outwards; u is drawn
    from [0, lambda1) for positives, which are to become the lesion again, and from [lambda1, lambda2) for negatives,
    which are to become nothing. With lambda2 = 2 lambda1 and uniform label noise it is mmdet's generator, bit for bit.

    A batch gets ``max(1, num_dn_queries // n)`` groups of n positives and n negatives, n being the most lesions that
    one of its images has: with more lesions than ``num_dn_queries`` there is one group and it holds them all. A batch
    without lesions gets no denoising query and its label embedding a gradient of zero.

    Args:
        num_classes: Of the head.
        embed_dims: Of the queries.
        num_matching_queries: Queries that are no denoising queries.
        pos_noise_scale: lambda1, in (0, lambda2). Up to 1 no positive is turned inside out.
        neg_noise_scale: lambda2. At 2, 7 of 16 negatives are turned inside out; their sides get the least size that
            the inverse sigmoid leaves, 0.001 of the image.
        label_noise_scale: Twice the chance of a label to be chosen for noise; 0 for none.
        label_noise: 'uniform' replaces a chosen label by any class, as mmdet: it does nothing with one class, and half
            of what it says with two. 'other' replaces it by one of the other classes or by "unknown", a further
            embedding, so that a chosen label always changes.
        group_cfg: As in the parent; ``num_dn_queries=0`` turns denoising off.

    Raises:
        MammoError: If a scale is out of its range or the kind of label noise is unknown.
    """

    def __init__(
        self,
        num_classes: int,
        embed_dims: int,
        num_matching_queries: int,
        pos_noise_scale: float = 1.0,
        neg_noise_scale: float = 2.0,
        label_noise_scale: float = 0.5,
        label_noise: str = 'uniform',
        group_cfg: dict[str, Any] | None = None,
    ) -> None:
        _check(pos_noise_scale, neg_noise_scale, label_noise_scale, label_noise)
        super().__init__(
            num_classes,
            embed_dims,
            num_matching_queries,
            label_noise_scale,
            box_noise_scale=pos_noise_scale,
            group_cfg=group_cfg or {'num_dn_queries': 100},
        )
        self.neg_noise_scale = neg_noise_scale
        self.label_noise = label_noise
        if label_noise == 'other':
            self.label_embedding = torch.nn.Embedding(num_classes + 1, embed_dims)  # the last one: unknown

    @property
    def is_off(self) -> bool:
        """Whether there is no denoising."""
        return bool(self.dynamic_dn_groups and self.num_dn_queries == 0)

    def __call__(self, batch_data_samples: SampleList) -> Queries:
        """Label queries (bs, n, dim), box queries (bs, n, 4) before the sigmoid, attention mask, and counts.

        With denoising off, n is 0 and mask and counts are ``None``.
        """
        if not self.is_off:
            return super().__call__(batch_data_samples)
        weight = self.label_embedding.weight
        size = len(batch_data_samples)
        # sliced from the embedding, so that DistributedDataParallel sees its parameter used
        return weight[None, :0].expand(size, -1, -1), weight.new_zeros(size, 0, 4), None, None

    def generate_dn_label_query(self, gt_labels: Tensor, num_groups: int) -> Tensor:
        """Embeddings of the noisy labels, (2 * num_groups * num_lesions, dim).

        Args:
            gt_labels: (num_lesions,) of the whole batch.
            num_groups: Denoising groups.
        """
        if self.label_noise == 'uniform' and self.label_noise_scale > 0:
            return super().generate_dn_label_query(gt_labels, num_groups)
        labels = gt_labels.repeat(2 * num_groups)
        chosen = torch.rand(labels.shape, device=labels.device) < self.label_noise_scale / 2
        step = torch.randint_like(labels, 1, self.num_classes + 1)
        return self.label_embedding(torch.where(chosen, (labels + step) % (self.num_classes + 1), labels))

    def generate_dn_bbox_query(self, gt_bboxes: Tensor, num_groups: int) -> Tensor:
        """Noisy boxes (2 * num_groups * num_lesions, 4), cxcywh before the sigmoid; in each group positives first.

        Args:
            gt_bboxes: (num_lesions, 4) of the whole batch, xyxy in [0, 1].
            num_groups: Denoising groups.
        """
        boxes = gt_bboxes.repeat(2 * num_groups, 1)
        sign = torch.randint_like(boxes, 0, 2, dtype=torch.float32) * 2.0 - 1.0
        share = torch.rand_like(boxes).view(num_groups, 2, len(gt_bboxes), 4)
        # in units of lambda1, so that at lambda2 = 2 lambda1 no rounding differs from mmdet's
        share[:, 1] = share[:, 1] * (self.neg_noise_scale / self.box_noise_scale - 1.0) + 1.0
        sides = bbox_xyxy_to_cxcywh(boxes)[:, 2:].repeat(1, 2)
        noisy = boxes + share.view_as(boxes) * sign * sides * self.box_noise_scale / 2
        return inverse_sigmoid(bbox_xyxy_to_cxcywh(noisy.clamp(0.0, 1.0)), eps=1e-3)


def _check(positive: float, negative: float, label_scale: float, label_noise: str) -> None:
    if not 0 < positive < negative:
        _refuse('pos_noise_scale, neg_noise_scale', f'{positive}, {negative}', '0 < pos_noise_scale < neg_noise_scale')
    if not 0 <= label_scale <= 2:
        _refuse('label_noise_scale', label_scale, 'a number from 0 to 2: half of it is a probability')
    if label_noise not in LABEL_NOISES:
        _refuse('label_noise', repr(label_noise), f'one of {LABEL_NOISES}')


def _refuse(field: str, found: object, expected: str) -> None:
    raise MammoError(
        'MammoCdnQueryGenerator', field=field, found=found, expected=expected, remedy='correct dn_cfg in the config'
    )
