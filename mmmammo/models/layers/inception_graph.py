"""Messages between the same view of both breasts (inception graph network, IGN)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmmammo.models.layers.exam_context import Partners
from mmmammo.structures import MammoError


def neighbour_matrix(template: Tensor, num_neighbours: int) -> Tensor:
    """J_s: which contralateral nodes are among the s nearest of each node.

    Args:
        template: (n, 2), where the nodes of a view lie on average, in a frame both sides share (chest wall left).
        num_neighbours: s.

    Returns:
        (n, n) of 0 and 1; J_1 is the identity, as a node's own index is its mirror image.
    """
    distances = torch.cdist(template, template, compute_mode='donot_use_mm_for_euclid_dist')
    # Two template nodes may coincide; each is nevertheless its own nearest.
    distances.fill_diagonal_(-1.0)
    nearest = distances.topk(num_neighbours, largest=False).indices
    return torch.zeros_like(distances).scatter_(1, nearest, 1.0)


def require_same_counts(own: Tensor, loaded: Tensor | None, field: str) -> None:
    """Refuse weights that were trained with other numbers of neighbours, of which no shape tells.

    Args:
        own: (..., n, n), J of the config; rows may be scaled.
        loaded: That of a checkpoint, if it has any.
        field: Of the config.

    Raises:
        MammoError: If rows of the two have different numbers of entries.
    """
    if loaded is None or loaded.shape != own.shape:
        return
    wanted, found = ((matrix[..., 0, :] != 0).sum(-1).flatten().tolist() for matrix in (own, loaded))
    if wanted != found:
        raise MammoError(
            'checkpoint',
            field=field,
            found=f'neighbours of a node: {found}',
            expected=f'{wanted}, as the config says',
            remedy='take the config that the checkpoint was trained with',
        )


class InceptionGraph(nn.Module):
    r"""Z_I = ReLU(sum_s J^_s X_I W_s), J^_s = [[I, J_s], [J_s^T, I]] and X_I = [X_e; X_c].

    J_s comes from the template and is the same for every exam; only the upper rows of J^_s, those of the examined view,
    are needed.

    Args:
        channels: C.
        templates: (n_c, 2) and (n_m, 2).
        branches: The neighbour counts s.
        row_norm: Divide each row of J^_s by its sum 1 + s, which the paper's formula does not.
    """

    def __init__(
        self, channels: int, templates: Sequence[Tensor], branches: Sequence[int], row_norm: bool = True
    ) -> None:
        super().__init__()
        self.branch_weight = nn.Parameter(torch.empty(len(branches), channels, channels))
        """W_s, one per branch."""
        for weight in self.branch_weight:
            nn.init.xavier_normal_(weight)
        size = max(len(template) for template in templates)
        neighbours = torch.zeros(len(templates), len(branches), size, size)
        for i, template in enumerate(templates):
            for j, branch in enumerate(branches):
                neighbours[i, j, : len(template), : len(template)] = neighbour_matrix(template, branch)
        self.register_buffer('neighbours', neighbours)
        """(2, S, N, N), J_s by projection and branch, padded with 0."""
        self.register_load_state_dict_pre_hook(_check_branches)
        scale = [1 / (1 + s) if row_norm else 1.0 for s in branches]
        self.register_buffer('scale', torch.tensor(scale)[:, None, None], persistent=False)

    def forward(self, nodes: Tensor, projection: Tensor, contralateral: Partners) -> Tensor:
        """Compare each image with its contralateral view.

        Args:
            nodes: (L, B, N, C), node features of L levels.
            projection: (B,), 0 CC, 1 MLO.
            contralateral: The partner of each image.

        Returns:
            (L, B, N, C), 0 for an image without partner.
        """
        others = nodes[:, contralateral.index, None]  # (L, B, 1, N, C)
        mixed = (nodes[:, :, None] + self.neighbours[projection] @ others) * self.scale  # (L, B, S, N, C)
        compared = torch.relu(torch.einsum('lbsnc,scd->lbnd', mixed, self.branch_weight))
        return compared * contralateral.present[:, None, None]


def _check_branches(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    require_same_counts(module.neighbours, state_dict.get(f'{prefix}neighbours'), 'branches')
