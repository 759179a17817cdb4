"""ADL: at training, either the most attended part of a feature is hidden or attention weighs it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmmammo.structures import MammoError


class AttentionDropout(nn.Module):
    """Attention-based dropout layer (Choe & Shim, CVPR 2019); the identity outside of training. No parameters.

    Attention is the mean over the channels. One coin per call, for the whole batch, decides between the two.

    Args:
        drop_rate: Chance that the part is hidden.
        threshold: Hidden is where attention is at least this share of its maximum in the image.

    Raises:
        MammoError: If one is not in [0, 1].
    """

    def __init__(self, drop_rate: float = 0.75, threshold: float = 0.9) -> None:
        super().__init__()
        for field, found in (('drop_rate', drop_rate), ('threshold', threshold)):
            if not 0 <= found <= 1:
                raise MammoError(
                    'AttentionDropout', field=field, found=found, expected='a number in [0, 1]', remedy='correct it'
                )
        self.drop_rate = drop_rate
        self.threshold = threshold

    def forward(self, features: Tensor) -> Tensor:
        """Hide or weigh.

        Args:
            features: (n, c, h, w).
        """
        if not self.training:
            return features
        attention = features.mean(dim=1, keepdim=True)
        if torch.rand(()).item() < self.drop_rate:
            return features * less_attended(attention, self.threshold)
        return features * attention.sigmoid()

    def extra_repr(self) -> str:
        """The two numbers."""
        return f'drop_rate={self.drop_rate}, threshold={self.threshold}'


def less_attended(attention: Tensor, threshold: float) -> Tensor:
    """1 where attention is below ``threshold`` times its maximum in the image, else 0; (n, 1, h, w) both."""
    return (attention < threshold * attention.amax(dim=(2, 3), keepdim=True)).to(attention.dtype)
