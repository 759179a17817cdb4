"""How the two graphs change the features of the examined view."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmmammo.models.layers.node_mapping import NodeMapping
from mmmammo.structures import MammoError


class AttentionCurve(NamedTuple):
    """Factor on the features as a line in the attention: ``slope * attention + floor``."""

    slope: float
    floor: float


CURVES = {
    'residual': AttentionCurve(slope=2.0, floor=0.2),
    'multiplicative': AttentionCurve(slope=1.0, floor=0.0),
}
"""'residual' is the fusion of paper 3; 'multiplicative' the original one, whose attention collapsed to zero there."""

STARTS = ('identity', 'random')

NEUTRAL_ATTENTION = 0.5
"""sigmoid(0): the attention where the inception graph has nothing to say."""


class GraphFusion(nn.Module):
    r"""Y = [f(F^_I) o F_e, F_B] W_f^T with F^_I = sigmoid(F_I w_I) and f from ``CURVES``.

    W_f is linear, so its graph half acts on the nodes before they are mapped back, psi(Z) W = psi(Z W), and so does
    w_I; a pixel costs one C x C product. Initially w_I = 0 and W_f = [I / f(1/2) | 0]: the fusion is the identity; or
    both are random, as where nobody says otherwise.

    An image without a contralateral view has Z_I = 0, so attention 1/2. One could have f = 1 there, which
    is attention 0.4 of the residual curve; but W_f divides by f(1/2) = 1.2, so at initialisation such an image, and it
    alone, would come out 1.2 times weaker than it went in.

    Args:
        channels: C.
        mode: A key of ``CURVES``.
        bipartite: Whether there is an F_B.
        inception: Whether there is an F_I; without one f is 1.
        start: ``'identity'``, or ``'random'``: w_I and W_f from Xavier's distribution.
    """

    def __init__(self, channels: int, mode: str, bipartite: bool, inception: bool, start: str = STARTS[0]) -> None:
        super().__init__()
        for field, found, known in (('fusion', mode, CURVES), ('fusion_start', start, STARTS)):
            if found not in known:
                raise MammoError(
                    'AnatomyGraphNeck',
                    field=field,
                    found=repr(found),
                    expected=f'one of {list(known)}',
                    remedy='choose one',
                )
        self.curve = CURVES[mode]
        if inception:
            self.attention_weight = nn.Parameter(torch.zeros(channels, 1))
            """w_I."""
        neutral = self.curve.slope * NEUTRAL_ATTENTION + self.curve.floor if inception else 1.0
        self.feature_weight = nn.Parameter(torch.eye(channels) / neutral)
        """The left half of W_f."""
        if bipartite:
            self.message_weight = nn.Parameter(torch.zeros(channels, channels))
            """The right half of W_f."""
        if start == 'random':
            self._start_at_random()

    def _start_at_random(self) -> None:
        halves = [self.feature_weight, *([self.message_weight] if hasattr(self, 'message_weight') else [])]
        drawn = nn.init.xavier_uniform_(torch.empty(len(self.feature_weight), sum(half.shape[1] for half in halves)))
        with torch.no_grad():
            for half, part in zip(halves, drawn.split([half.shape[1] for half in halves], dim=1), strict=True):
                half.copy_(part)
        if hasattr(self, 'attention_weight'):
            nn.init.xavier_uniform_(self.attention_weight)

    def attention(self, compared: Tensor, mapping: NodeMapping) -> Tensor:
        """F^_I of one level: (B, N, C) Z_I -> (B, 1, HW) in (0, 1), ``NEUTRAL_ATTENTION`` where Z_I is 0."""
        return torch.sigmoid(mapping.to_pixels(compared @ self.attention_weight))

    def weighted(self, messages: Tensor) -> Tensor:
        """Z_B times the right half of W_f, (..., N, C): what is added to pixels."""
        return messages @ self.message_weight.T

    def forward(
        self, features: Tensor, mapping: NodeMapping, attention: Tensor | None, additions: Tensor | None
    ) -> Tensor:
        """Fuse one level.

        Args:
            features: (B, C, H, W), F_e.
            mapping: The node mapping of this level.
            attention: (B, 1, HW), F^_I.
            additions: (B, N, C), of :meth:`weighted`.

        Returns:
            (B, C, H, W), Y.
        """
        flat = features.flatten(2)
        if attention is not None:
            flat = flat * (self.curve.slope * attention + self.curve.floor).to(flat)
        # Not matmul, which in training copies the whole batch to make one product of it.
        fused = torch.bmm(self.feature_weight.expand(len(flat), -1, -1), flat)
        if additions is not None:
            fused = mapping.to_pixels(additions, base=fused)
        return fused.view_as(features)
