"""Two outputs, and the risk between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.wsol.class_map_head import labels_of
from mmmammo.registry import MODELS

_LOSS = {'type': 'mmpretrain.CrossEntropyLoss'}


@MODELS.register_module()
class RiskHead(LinearClsHead):
    """mmpretrain's linear head of two classes, whose probabilities have the risk ``z_pos - z_neg`` as log-odds.

    The softmax is taken in double precision: in single precision a risk of 10 would keep three digits, and paper 4 adds
    risks.

    Args:
        in_channels: Of the feature.
        num_classes: 2.
        loss: Classification loss.
        **kwargs: As mmpretrain's ``LinearClsHead``.
    """

    def __init__(self, in_channels: int, num_classes: int = 2, loss: Mapping[str, Any] = _LOSS, **kwargs: Any) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, loss=dict(loss), **kwargs)

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Cross-entropy of the two outputs.

        Raises:
            MammoError: If a sample has no class number.
        """
        labels = labels_of(data_samples)
        return {'loss_cls': self.loss_module(self(feats), labels, avg_factor=len(labels), **kwargs)}

    def predict(self, feats: tuple[Tensor, ...], data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Samples with ``pred_score``, (2,) float64, and ``pred_label``."""
        return self.predict_logits(self(feats), data_samples)

    def predict_logits(self, logits: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """The same of (n, 2) logits."""
        return self._get_predictions(logits.double(), data_samples)
