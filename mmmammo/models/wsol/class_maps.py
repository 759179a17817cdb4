"""Class maps: their branch of a network, their heights, and the boxes round their peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmammo.evaluation.functional import grey_map, region_boxes
from mmmammo.models.wsol.attention_dropout import AttentionDropout


class MapBranch(nn.Module):
    """3 x 3 convolutions with ReLU, then a 1 x 1 convolution to one map per class.

    The mean of a map is the logit of its class. Without hidden convolutions this is the classic network of global
    average pooling and one linear layer, whose class activation map is the map (a bias only shifts it).

    Args:
        in_channels: Of the features.
        num_classes: Maps.
        hidden: Channels of each 3 x 3 convolution.
        dropout: Before each convolution.
        attention_dropout: Arguments of :class:`AttentionDropout` behind the hidden convolutions; none by default.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        attention_dropout: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in hidden:
            layers += [nn.Dropout(dropout), nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU()]
            in_channels = channels
        if attention_dropout is not None:
            layers.append(AttentionDropout(**attention_dropout))
        self.hidden = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(in_channels, num_classes, 1))
        self.hidden_channels = in_channels

    def forward(self, features: Tensor) -> Tensor:
        """(n, c, h, w) to (n, classes, h, w)."""
        return self.classifier(self.hidden(features))


def of_classes(maps: Tensor, labels: Tensor) -> Tensor:
    """The map of one class per image, (n, 1, h, w) of (n, classes, h, w)."""
    return maps[torch.arange(len(maps), device=maps.device), labels, None]


def stretched(maps: Tensor) -> Tensor:
    """Each map from 0 to 1; one that is flat, or holds nan or infinity, is 0 everywhere.

    Args:
        maps: (n, c, h, w).
    """
    low, high = maps.amin(dim=(2, 3), keepdim=True), maps.amax(dim=(2, 3), keepdim=True)
    height = high - low
    shown = (height > 0) & height.isfinite()  # nan and infinity anywhere reach the height
    return torch.where(shown, (maps - low) / torch.where(shown, height, 1), 0)


def map_instances(
    heatmap: npt.NDArray[np.floating],
    image_size: tuple[int, int],
    scale_factor: tuple[float, float] = (1.0, 1.0),
    *,
    level: float = 0.7,
    regions: str = 'largest',
) -> InstanceData:
    """What a heatmap says as detections: boxes round its regions above a level.

    Args:
        heatmap: (h, w) in [0, 1], over the whole input.
        image_size: ``(width, height)`` of the network input.
        scale_factor: ``(x, y)`` input pixels per prepared pixel.
        level: Share of the peak above which a pixel belongs to a region.
        regions: ``'largest'`` or ``'all'`` of them.

    Returns:
        ``bboxes`` (k, 4) in prepared pixels, ``scores`` (k,), the highest value of the heatmap in each box, and
        ``labels`` (k,), all 0: the only class of boxes. The best first; no box of a map that is flat or has nan.
    """
    grey = grey_map(heatmap, image_size)
    boxes, scores = np.empty((0, 4)), np.empty(0)
    if grey.any():
        boxes = region_boxes(grey, int(level * 255), regions, 'continuous')
        peaks = [grey[int(y1) : int(y2), int(x1) : int(x2)].max() for x1, y1, x2, y2 in boxes]
        scores = np.array(peaks) / 255 * heatmap.max()
        order = np.argsort(-scores, kind='stable')
        boxes, scores = boxes[order] / np.tile(scale_factor, 2), scores[order]
    return InstanceData(
        bboxes=torch.from_numpy(boxes.astype(np.float32)),
        scores=torch.from_numpy(scores.astype(np.float32)),
        labels=torch.zeros(len(boxes), dtype=torch.long),
    )
