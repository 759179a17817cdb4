"""A learned weighted mean over the members of a set: the views of a breast, the patches of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmmammo.structures import MammoError


class AttentionPooling(nn.Module):
    r"""Attention-based pooling of sets of any size (Ilse et al., ICML 2018).

    The members h_k of a set are pooled to sum_k a_k h_k, with a_k the softmax over the set of

    - w^T tanh(V h_k), equation 8, or with ``gated``
    - w^T (tanh(V h_k) o sigmoid(U h_k)), equation 9.

    The order of the members has no influence, and a set of one member is that member. An empty set is pooled to zeros.

    Args:
        channels: Of a member.
        hidden: Rows of V and U.
        gated: Equation 9.
        dropout: Of the hidden values, in training.

    Raises:
        MammoError: If a size or the dropout makes no sense.
    """

    def __init__(self, channels: int, hidden: int = 128, gated: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        if channels < 1 or hidden < 1 or not 0 <= dropout < 1:
            raise MammoError(
                'AttentionPooling',
                field='channels, hidden, dropout',
                found=(channels, hidden, dropout),
                expected='sizes from 1 on, and a share in [0, 1)',
                remedy='correct them in the config',
            )
        self.value = nn.Linear(channels, hidden)
        self.gate = nn.Linear(channels, hidden) if gated else None
        self.dropout = nn.Dropout(dropout)
        self.weight = nn.Linear(hidden, 1, bias=False)  # a bias would not change the softmax

    def forward(
        self, members: Tensor, group: Tensor, num_groups: int, present: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Pool all sets of a batch at once.

        Args:
            members: (n, channels), in any order.
            group: (n,) int64, the set of each member, from 0.
            num_groups: g.
            present: (n,) bool; a member that is not counts as if it were left out, whatever its values.

        Returns:
            (g, channels) and the weights (n,), which add up to 1 in every set that has a member.
        """
        if present is not None:
            members = torch.where(present[:, None], members, members.new_zeros(()))
        weights = grouped_softmax(self.logits(members), group, num_groups, present).to(members.dtype)
        pooled = members.new_zeros(num_groups, members.shape[1]).index_add(0, group, weights[:, None] * members)
        return pooled, weights

    def logits(self, members: Tensor) -> Tensor:
        """What the softmax is taken of, (n,)."""
        hidden = self.value(members).tanh()
        if self.gate is not None:
            hidden = hidden * self.gate(members).sigmoid()
        return self.weight(self.dropout(hidden)).squeeze(-1)


def grouped_softmax(logits: Tensor, group: Tensor, num_groups: int, present: Tensor | None = None) -> Tensor:
    """Softmax within each group, in float32 at least.

    Args:
        logits: (n,).
        group: (n,) int64, from 0.
        num_groups: More than any of ``group``.
        present: (n,) bool; the others get 0.
    """
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    if present is not None:
        logits = logits.masked_fill(~present, -torch.inf)
    lowest = logits.new_full((num_groups,), -torch.inf)
    highest = lowest.scatter_reduce(0, group, logits.detach(), 'amax')
    shifted = logits - highest.nan_to_num(neginf=0.0)[group]  # a group without members has no highest
    parts = shifted.exp()
    total = parts.new_zeros(num_groups).index_add(0, group, parts)
    return parts / total.clamp_min(torch.finfo(parts.dtype).tiny)[group]
