"""Focal loss of independent classes."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import sigmoid_focal_loss

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class MultiLabelFocalLoss(nn.Module):
    """``-(1 - p_t)^gamma log p_t`` of each class, averaged over classes and batch (paper 1).

    mmpretrain's focal loss sums over the classes and always weighs positives by ``alpha``; the paper does neither.

    Args:
        gamma: How much less easy examples count; 0 is binary cross-entropy.
        alpha: Weight of positives, with ``1 - alpha`` that of negatives; ``None`` weighs both alike.
        loss_weight: Factor on the result.

    Raises:
        MammoError: If ``gamma`` is negative or ``alpha`` not in [0, 1].
    """

    def __init__(self, gamma: float = 2.0, alpha: float | None = None, loss_weight: float = 1.0) -> None:
        super().__init__()
        if gamma < 0 or not (alpha is None or 0 <= alpha <= 1):
            raise MammoError(
                'MultiLabelFocalLoss',
                field='gamma, alpha',
                found=(gamma, alpha),
                expected='gamma of at least 0, alpha in [0, 1] or None',
                remedy='correct them in the config',
            )
        self.gamma = gamma
        self.alpha = alpha
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, avg_factor: float | None = None) -> Tensor:
        """The loss, a scalar.

        Args:
            logits: (n, c).
            targets: (n, c), 0 or 1.
            avg_factor: Samples to average over; n by default.
        """
        alpha = -1.0 if self.alpha is None else self.alpha  # torchvision's word for none
        each = sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=self.gamma, reduction='none')
        return self.loss_weight * each.mean(dim=1).sum() / (avg_factor or len(logits))
