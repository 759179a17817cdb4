"""ACoL: a second classifier looks where the first one does not."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.wsol.class_map_head import ClassMapHead, labels_of, logits_of
from mmmammo.models.wsol.class_maps import MapBranch, of_classes, stretched
from mmmammo.registry import MODELS


@MODELS.register_module()
class ACoLHead(ClassMapHead):
    """Adversarial complementary learning (Zhang et al., CVPR 2018).

    Branch A's map of the image's class says where its evidence is; there the features are erased for branch B, which
    must find other evidence. The heatmap is the larger of both maps, each from 0 to 1; at test time A's map of
    ``map_class`` decides what B sees. Probabilities are A's.

    Args:
        erase_threshold: Erased is where A's map reaches this height; above 1 nothing is.
        **kwargs: As :class:`ClassMapHead`, for both branches.
    """

    def __init__(self, in_channels: int, num_classes: int = 2, erase_threshold: float = 0.7, **kwargs: Any) -> None:
        super().__init__(in_channels, num_classes, **kwargs)
        layers = {key: kwargs[key] for key in ('hidden', 'dropout', 'attention_dropout') if key in kwargs}
        self.other_branch = MapBranch(in_channels, num_classes, **layers)
        self.erase_threshold = erase_threshold

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Cross-entropy of both branches; see :meth:`ClassMapHead.loss`."""
        labels = labels_of(data_samples)
        maps, others = self.both_maps(feats[-1], labels)
        return {
            'loss_cls': self.classify(logits_of(maps), labels, **kwargs),
            'loss_cls_b': self.classify(logits_of(others), labels, **kwargs),
        }

    def localise(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """A's logits, and the larger of both maps."""
        labels = feats[-1].new_full((len(feats[-1]),), self.map_class, dtype=torch.long)
        maps, others = self.both_maps(feats[-1], labels)
        return logits_of(maps), torch.maximum(*(stretched(of_classes(m, labels)) for m in (maps, others)))

    def both_maps(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of A and B, (n, classes, h, w) each, where A's evidence for ``labels`` is erased for B."""
        maps = self.branch(features)
        evidence = stretched(of_classes(maps.detach(), labels))
        return maps, self.other_branch(features * (evidence < self.erase_threshold))
