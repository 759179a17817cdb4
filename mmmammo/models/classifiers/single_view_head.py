"""Benign and malignant findings from one view: the head of NYU's single-image model."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.models.classifiers.four_view_heads import BREAST_CLASSES, breast_labels
from mmmammo.registry import MODELS


@MODELS.register_module()
class SingleViewHead(BaseModule):
    """Two outputs of two, benign and malignant, from a pooled feature; for mmpretrain's ``ImageClassifier``.

    Behind :class:`~mmmammo.models.NYUResNet` it has the 2,866,356 parameters (2,867,924 with heatmaps) of the model
    that NYU published beside the view-wise one.

    Args:
        in_channels: Of the pooled feature.
        hidden_channels: Of the layer between.
    """

    def __init__(self, in_channels: int = 256, hidden_channels: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(in_channels, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, 2 * len(BREAST_CLASSES))
        )

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """(n, classes, 2) log-probabilities of (absent, present).

        Args:
            feats: The last is (n, in_channels).
        """
        return self.layers(feats[-1]).unflatten(-1, (len(BREAST_CLASSES), 2)).log_softmax(dim=-1)

    def loss(self, feats: Sequence[Tensor], data_samples: Sequence[DataSample]) -> dict[str, Tensor]:
        """Mean negative log-likelihood of the labels that are known.

        Args:
            feats: See :meth:`forward`.
            data_samples: With ``gt_score`` (classes,): 0, 1, or nan where unknown.
        """
        labels = breast_labels(data_samples, feats[-1])
        each = F.nll_loss(self(feats).flatten(0, 1), labels.nan_to_num().long().flatten(), reduction='none')
        known = ~labels.isnan().flatten()
        return {'loss_cls': (each * known).sum() / known.sum().clamp_min(1)}

    def predict(self, feats: Sequence[Tensor], data_samples: Sequence[DataSample] | None = None) -> list[DataSample]:
        """Give every sample ``pred_score``, the probabilities (benign, malignant)."""
        scores = self(feats)[..., 1].exp()
        samples = data_samples or [DataSample() for _ in scores]
        return [sample.set_pred_score(score) for sample, score in zip(samples, scores, strict=True)]
