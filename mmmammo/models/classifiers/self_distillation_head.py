"""A classifier whose earlier features are taught to classify, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models.backbones.resnet import Bottleneck
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from timm.layers import get_act_layer
from torch import Tensor, nn

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

_BCE = {'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True}
_INIT = {'type': 'Normal', 'layer': 'Linear', 'std': 0.01}


@MODELS.register_module()
class SelfDistillationHead(MultiLabelClsHead):
    """A main classifier, and one behind each hook into the backbone (paper 2, experiment 8).

    ::

        stride  8 ── bottleneck ── mean ─────────── dropout ── linear ── loss_hook0
        stride 16 ── bottleneck ── mean ─────────── dropout ── linear ── loss_hook1
        stride 32 ──────────────── mean and max ─── dropout ── linear ── loss_cls

    All losses are cross-entropies against the label and weigh the same: there is neither the divergence from the main
    classifier nor the hint of features of the method it is named after (Zhang et al., ICCV 2019). Predicts by the main
    classifier alone; the hooks cost nothing then.

    Args:
        in_channels: Of the features; the last one is the main classifier's, the others have hooks.
        dropout: In front of each linear layer.
        expansion: Channels of a hook over those within its bottleneck.
        act: Activation of the bottlenecks, by timm's name.
        loss: Of each classifier.
        init_cfg: Initial weights.

    Raises:
        MammoError: If there are no features to hook into, or channels that the bottleneck does not divide.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 160, 256),
        dropout: float = 0.2,
        expansion: int = 4,
        act: str = 'mish',
        loss: Mapping[str, Any] = _BCE,
        init_cfg: Any = _INIT,
    ) -> None:
        super().__init__(loss=dict(loss), init_cfg=init_cfg)
        *hooks, main = in_channels
        if not hooks or any(channels % expansion for channels in hooks):
            raise MammoError(
                'SelfDistillationHead',
                field='in_channels',
                found=tuple(in_channels),
                expected=f'two or more, all but the last multiples of {expansion}',
                remedy='give the channels of out_indices of the backbone',
            )
        self.main = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * main, 1))
        self.hooks = nn.ModuleList(
            nn.Sequential(
                Bottleneck(channels, channels, expansion=expansion, act_cfg={'type': get_act_layer(act)}),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Dropout(dropout),
                nn.Linear(channels, 1),
            )
            for channels in hooks
        )

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """(n, 1) logits of the main classifier."""
        last = feats[-1]
        logits: Tensor = self.main(torch.cat([last.mean(dim=(2, 3)), last.amax(dim=(2, 3))], dim=1))
        return logits

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Cross-entropy of each classifier.

        Args:
            feats: As many (n, c, h, w) as ``in_channels``.
            data_samples: With ``gt_score``.
            **kwargs: Of the loss.
        """
        losses = {'loss_cls': self._get_loss(self(feats), data_samples, **kwargs)['loss']}
        for number, (hook, feature) in enumerate(zip(self.hooks, feats[:-1], strict=True)):
            losses[f'loss_hook{number}'] = self._get_loss(hook(feature), data_samples, **kwargs)['loss']
        return losses
