"""DINO for mammograms."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from mmdet.models.detectors import DINO
from mmdet.structures import OptSampleList
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmmammo.models.detectors.multi_view import MultiViewMixin
from mmmammo.models.layers import MammoCdnQueryGenerator
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

NO_DENOISING = {'group_cfg': {'num_dn_queries': 0}}


@MODELS.register_module()
class MammoDINO(MultiViewMixin, DINO):
    """mmdet's DINO with the denoising of paper 0 (:class:`mmmammo.models.layers.MammoCdnQueryGenerator`).

    Takes :class:`mmmammo.models.dense_heads.MammoDINOHead`, and a graph neck as any multi-view detector. With mmdet's
    settings its outputs and losses are those of mmdet's DINO, and checkpoints of that load.

    Args:
        dn_cfg: Arguments of the query generator but for those the detector knows; ``None`` to train without
            denoising.
        encoder: As in the parent. ``num_cp``, the number of layers that keep no activations but compute them again,
            needs no further package.
        **kwargs: As in :class:`mmdet.models.DINO`; left as they are, a config can be built from twice.

    Raises:
        MammoError: If a batch gives fewer tokens than there are queries.
    """

    def __init__(
        self, *args: Any, dn_cfg: dict[str, Any] | None = None, encoder: dict[str, Any], **kwargs: Any
    ) -> None:
        encoder = dict(copy.deepcopy(encoder))
        self.num_checkpointed = encoder.pop('num_cp', 0)
        args, kwargs = copy.deepcopy((args, kwargs))  # upstream writes into them
        super().__init__(*args, dn_cfg=copy.deepcopy(NO_DENOISING), encoder=encoder, **kwargs)
        self.dn_query_generator = MammoCdnQueryGenerator(
            num_classes=self.bbox_head.num_classes,
            embed_dims=self.embed_dims,
            num_matching_queries=self.num_queries,
            **(NO_DENOISING if dn_cfg is None else dn_cfg),
        )

    def pre_decoder(
        self, memory: Tensor, memory_mask: Tensor, spatial_shapes: Tensor, batch_data_samples: OptSampleList = None
    ) -> tuple[dict, dict]:
        """As the parent's: mixed query selection. Anchors come from the image, contents are learned.

        Always in float32: logits of bfloat16 have 8 bits, so that many cells would tie, and the losses of the chosen
        ones ask for kernels that a GPU may not have.

        Args:
            memory: (bs, num_tokens, dim).
            memory_mask: (bs, num_tokens), true at padding, or ``None``.
            spatial_shapes: (num_levels, 2) rows and columns.
            batch_data_samples: With truth in training.
        """
        if memory.shape[1] < self.num_queries:
            raise MammoError(
                'MammoDINO',
                field='num_queries',
                found=f'{self.num_queries} with levels of {spatial_shapes.tolist()} cells',
                expected=f'at most {memory.shape[1]}, one per cell',
                remedy='lower num_queries and test_cfg.max_per_img, or read larger images',
            )
        with torch.autocast(memory.device.type, enabled=False):
            return super().pre_decoder(memory.float(), memory_mask, spatial_shapes, batch_data_samples)

    def _init_layers(self) -> None:
        super()._init_layers()
        nn.init.normal_(self.level_embed)  # the parent leaves what was in memory, until init_weights
        for layer in self.encoder.layers[: self.num_checkpointed]:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
