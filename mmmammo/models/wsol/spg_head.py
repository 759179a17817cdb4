"""SPG: confident parts of a class map teach earlier features where the object is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmmammo.models.wsol.class_map_head import ClassMapHead, labels_of, logits_of
from mmmammo.models.wsol.class_maps import of_classes, stretched
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

FEWEST_PIXELS = 30
RELATIVE_THRESHOLD = 0.7


@MODELS.register_module()
class SPGHead(ClassMapHead):
    """Self-produced guidance (Zhang et al., ECCV 2018).

    The map of the image's class, from 0 to 1, guides branch B2 on the later feature, B2 guides B1 on the earlier one,
    and their mean guides C on the last: above the first of two thresholds is foreground, below the second background,
    the rest is not asked. B1 and B2 share their last layers. Only training sees all this: the heatmap is CAM's.

    Args:
        in_channels: Of the earlier, the later and the last feature; the first, the second and the last of the
            backbone's ``out_steps``.
        num_classes: Of the softmax.
        guide_channels: Of the layers of B1 and B2; and of C.
        thresholds: Foreground and background of B2, of B1, of C.
        stride: Input pixels per cell of the last feature; guidance is compared in input pixels.
        **kwargs: As :class:`ClassMapHead`.

    Raises:
        MammoError: If there are not three features.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int = 2,
        guide_channels: tuple[int, int] = (512, 512),
        thresholds: Sequence[tuple[float, float]] = ((0.7, 0.01), (0.5, 0.05), (0.7, 0.1)),
        stride: int = 16,
        **kwargs: Any,
    ) -> None:
        if len(in_channels) != 3:
            raise MammoError(
                'SPGHead',
                field='in_channels',
                found=in_channels,
                expected='three numbers: of the earlier, the later and the last feature',
                remedy='give the channels of the first, the second and the last of the out_steps of the backbone',
            )
        super().__init__(in_channels[-1], num_classes, **kwargs)
        shared, last = guide_channels
        self.guide_1 = _conv_relu(in_channels[0], shared)
        self.guide_2 = _conv_relu(in_channels[1], shared)
        self.guide_shared = nn.Sequential(*_conv_relu(shared, shared), nn.Conv2d(shared, 1, 1))
        self.guide_last = nn.Sequential(*_conv_relu(self.branch.hidden_channels, last), nn.Conv2d(last, 1, 1))
        self.thresholds = tuple(thresholds)
        self.stride = stride

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Cross-entropy, and of each guided branch a binary one; see :meth:`ClassMapHead.loss`."""
        labels = labels_of(data_samples)
        hidden = self.branch.hidden(feats[-1])
        maps = self.branch.classifier(hidden)
        size = [side * self.stride for side in maps.shape[-2:]]
        attention = stretched(_enlarged(of_classes(maps.detach(), labels), size))
        b1 = _enlarged(self.guide_shared(self.guide_1(feats[0])), size)
        b2 = _enlarged(self.guide_shared(self.guide_2(feats[1])), size)
        c = _enlarged(self.guide_last(hidden), size)
        fused = (b1.sigmoid() + b2.sigmoid()) / 2
        losses = {'loss_cls': self.classify(logits_of(maps), labels, **kwargs)}
        guided = {'loss_b2': (b2, attention), 'loss_b1': (b1, b2.sigmoid()), 'loss_c': (c, fused)}
        for (name, (logits, guide)), (high, low) in zip(guided.items(), self.thresholds, strict=True):
            losses[name] = guidance_loss(logits, guide.detach(), high, low)
        return losses


def guidance_loss(logits: Tensor, guide: Tensor, high: float, low: float) -> Tensor:
    """Mean binary cross-entropy over the pixels on which the guide is sure; 0 if there are none.

    Args:
        logits: (n, 1, h, w).
        guide: (n, 1, h, w) in [0, 1].
        high: See :func:`guidance_masks`.
        low: Likewise.
    """
    foreground, background = guidance_masks(guide, high, low)
    sure = foreground | background
    loss = F.binary_cross_entropy_with_logits(logits, foreground.to(logits.dtype), reduction='none')
    return (loss * sure).sum() / sure.sum().clamp_min(1)


def guidance_masks(guide: Tensor, high: float, low: float) -> tuple[Tensor, Tensor]:
    """Where a guide sees foreground and where background, both (n, 1, h, w) bool.

    Args:
        guide: (n, 1, h, w) in [0, 1].
        high: Above it is foreground; in an image with fewer than 30 such pixels, above 0.7 of its maximum.
        low: Below it is background, even where it would be foreground by the second rule.
    """
    foreground = guide > high
    few = foreground.sum(dim=(1, 2, 3), keepdim=True) < FEWEST_PIXELS
    relative = guide > RELATIVE_THRESHOLD * guide.amax(dim=(2, 3), keepdim=True)
    background = guide < low
    return torch.where(few, relative, foreground) & ~background, background


def _enlarged(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode='bilinear', align_corners=False)


def _conv_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU())
