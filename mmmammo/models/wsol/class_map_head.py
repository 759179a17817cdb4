"""CAM, and the base of the other weakly supervised localisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.evaluation.functional.localisation import REGION_RULES
from mmmammo.models.wsol.class_maps import MapBranch, map_instances, stretched
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

_LOSS = {'type': 'mmpretrain.CrossEntropyLoss'}
_XAVIER = {'type': 'Xavier', 'layer': 'Conv2d', 'distribution': 'uniform'}
_LEAST_PEAK = 1e-6


@MODELS.register_module()
class ClassMapHead(ClsHead):
    """Class activation maps (Zhou et al., CVPR 2016): a classifier whose logits are means of maps.

    Predictions are mmpretrain's, and per image ``heatmap``, (h, w) float in [0, 1] over the whole input: the map of
    ``map_class`` from 0 to the probability of that class, so that heights compare between images; and
    ``pred_instances``, boxes round its regions in prepared pixels, which detection metrics and reports read. A flat map
    and one with nan show nothing: a heatmap of zeros and no box. The truth is not looked at.

    Args:
        in_channels: Of the last feature.
        num_classes: Of the softmax.
        hidden: See :class:`~mmmammo.models.wsol.class_maps.MapBranch`.
        dropout: Likewise.
        attention_dropout: Likewise.
        map_class: Whose map is the heatmap; 1, the last of (normal, mass), by default.
        box_level: Boxes surround what is above this share of the peak. Objects that fill a picture want the paper's .2,
            lesions more; ``threshold@…`` of ``LocalisationMetric(regions='largest', pixels='continuous')`` on a
            validation set says how much. Localisation accuracy itself does not depend on it.
        box_regions: ``'largest'`` region, as in the paper, or ``'all'``.
        loss: Classification loss.
        init_cfg: Initial weights.

    Raises:
        MammoError: If ``map_class`` is no class, or the rule of the boxes makes no sense.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 2,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        attention_dropout: Mapping[str, Any] | None = None,
        map_class: int = 1,
        box_level: float = 0.7,
        box_regions: str = 'largest',
        loss: Mapping[str, Any] = _LOSS,
        init_cfg: Any = _XAVIER,
    ) -> None:
        super().__init__(loss=dict(loss), init_cfg=init_cfg)
        if not 0 <= map_class < num_classes:
            raise MammoError(
                type(self).__name__,
                field='map_class',
                found=map_class,
                expected=f'0 to {num_classes - 1}',
                remedy='give the class whose place is wanted',
            )
        if not 0 <= box_level < 1 or box_regions not in REGION_RULES:
            raise MammoError(
                type(self).__name__,
                field='box_level, box_regions',
                found=(box_level, box_regions),
                expected=f'a share of the peak in [0, 1), and one of {REGION_RULES}',
                remedy='correct them',
            )
        self.num_classes = num_classes
        self.map_class = map_class
        self.box_rule = {'level': box_level, 'regions': box_regions}
        self.branch = MapBranch(in_channels, num_classes, hidden, dropout, attention_dropout)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """(n, classes) logits."""
        return logits_of(self.branch(feats[-1]))

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Cross-entropy of the logits.

        Args:
            feats: Of the backbone.
            data_samples: With ``gt_label``.
            **kwargs: Of the loss.

        Raises:
            MammoError: If a sample has no class number.
        """
        return {'loss_cls': self.classify(self(feats), labels_of(data_samples), **kwargs)}

    def predict(self, feats: tuple[Tensor, ...], data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Probabilities, heatmaps and boxes; see the class."""
        logits, maps = self.localise(feats)
        samples = self._get_predictions(logits, data_samples)
        peaks = logits.softmax(dim=1)[:, self.map_class].clamp_min(_LEAST_PEAK)
        heatmaps = (stretched(maps)[:, 0] * peaks.nan_to_num()[:, None, None]).float().cpu()
        for sample, heatmap in zip(samples, heatmaps, strict=True):
            sample.set_field(heatmap, 'heatmap')
            if sample.get('img_shape') is not None:
                size, scale = sample.img_shape[1::-1], sample.get('scale_factor', (1.0, 1.0))
                sample.set_field(map_instances(heatmap.numpy(), size, scale, **self.box_rule), 'pred_instances')
        return samples

    def localise(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Logits (n, classes) and the map of ``map_class`` (n, 1, h, w); what methods override."""
        maps = self.branch(feats[-1])
        return logits_of(maps), maps[:, self.map_class, None]

    def classify(self, logits: Tensor, labels: Tensor, **kwargs: Any) -> Tensor:
        """The classification loss."""
        return self.loss_module(logits, labels, avg_factor=len(labels), **kwargs)


def logits_of(maps: Tensor) -> Tensor:
    """(n, classes) means of (n, classes, h, w)."""
    return maps.mean(dim=(2, 3))


def labels_of(data_samples: Sequence[DataSample]) -> Tensor:
    """(n,) class numbers.

    Raises:
        MammoError: If a sample has none.
    """
    for sample in data_samples:
        if sample.get('gt_label') is None or len(sample.gt_label) != 1:
            raise MammoError(
                f'image {sample.get("img_path", "")}',
                field='gt_label',
                found=sample.get('gt_label'),
                expected='one class number',
                remedy="use mmmammo.ViewClassificationDataset with task='binary' or 'multiclass'",
            )
    return torch.cat([sample.gt_label for sample in data_samples])
