"""Messages between the CC and the MLO view of one breast (bipartite graph network, BGN)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmmammo.models.layers.exam_context import Partners


class BipartiteGraph(nn.Module):
    r"""Z_B = ReLU(H_B X_B W_B) with H_B = [[0, H], [H^T, 0]] and H = H_g o H_s.

    H_s[i, j] = sigmoid([X_CC_i ; X_MLO_j] . w_s) is an outer sum of one score per node, and of H_B only the rows of
    the examined view are needed, so that every image of a batch is examined view and partner at once.

    Args:
        channels: C.
        geometric_prior: (n_c, n_m), H_g, by CC node and MLO node.
        row_norm: Divide each row of H_g and of H_g^T by its sum, which the paper's formula does not.
    """

    def __init__(self, channels: int, geometric_prior: Tensor, row_norm: bool = False) -> None:
        super().__init__()
        self.row_norm = row_norm
        self.semantic_weight = nn.Parameter(torch.empty(2, channels))
        """w_s as its CC half and its MLO half."""
        self.message_weight = nn.Parameter(torch.empty(channels, channels))
        """W_B."""
        self.register_buffer('geometric_prior', geometric_prior.float())
        nn.init.normal_(self.semantic_weight, std=channels**-0.5)
        nn.init.xavier_normal_(self.message_weight)

    def forward(self, nodes: Tensor, projection: Tensor, ipsilateral: Partners) -> Tensor:
        """Send each image the features of its ipsilateral view.

        Args:
            nodes: (L, B, N, C), node features of L levels.
            projection: (B,), 0 CC, 1 MLO.
            ipsilateral: The partner of each image.

        Returns:
            (L, B, N, C), 0 for an image without partner.
        """
        scores = torch.einsum('lbnc,bc->lbn', nodes, self.semantic_weight[projection])
        semantic = torch.sigmoid(scores[..., :, None] + scores[:, ipsilateral.index][..., None, :])
        edges = self._prior_rows(nodes.shape[2])[projection] * ipsilateral.present[:, None, None]
        messages = (nodes @ self.message_weight)[:, ipsilateral.index]
        return torch.relu((edges * semantic) @ messages)

    def _prior_rows(self, size: int) -> Tensor:
        """(2, N, N): H_g for an examined CC view and H_g^T for an MLO view, padded with 0."""
        n_cc, n_mlo = self.geometric_prior.shape
        padded = F.pad(self.geometric_prior, (0, size - n_mlo, 0, size - n_cc))
        rows = torch.stack([padded, padded.T])
        if self.row_norm:
            rows = rows / rows.sum(dim=2, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
        return rows
