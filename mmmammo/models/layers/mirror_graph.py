"""Messages from the same view of the other breast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmmammo.models.layers.exam_context import Partners
from mmmammo.models.layers.inception_graph import neighbour_matrix, require_same_counts


class MirrorGraph(nn.Module):
    r"""Z_M = ReLU(J_s X_c W_M / s), added to pixels through a weight that starts at 0.

    :class:`~mmmammo.models.layers.InceptionGraph` adds both breasts up before it compares them and can only weaken or
    strengthen a place. Here the other breast speaks for itself: tissue that both breasts show at a place is no lesion.

    Args:
        channels: C.
        templates: (n_c, 2) and (n_m, 2), as of the inception graph.
        num_neighbours: s.
    """

    def __init__(self, channels: int, templates: tuple[Tensor, Tensor], num_neighbours: int = 3) -> None:
        super().__init__()
        self.message_weight = nn.Parameter(torch.empty(channels, channels))
        """W_M."""
        self.output_weight = nn.Parameter(torch.zeros(channels, channels))
        nn.init.xavier_normal_(self.message_weight)
        size = max(len(template) for template in templates)
        neighbours = torch.zeros(len(templates), size, size)
        for i, template in enumerate(templates):
            neighbours[i, : len(template), : len(template)] = neighbour_matrix(template, num_neighbours)
        self.register_buffer('neighbours', neighbours / num_neighbours)
        """(2, N, N), J_s / s by projection, padded with 0."""
        self.register_load_state_dict_pre_hook(_check_neighbours)

    def forward(self, nodes: Tensor, projection: Tensor, contralateral: Partners) -> Tensor:
        """What the contralateral view adds to each image.

        Args:
            nodes: (L, B, N, C), node features of L levels.
            projection: (B,), 0 CC, 1 MLO.
            contralateral: The partner of each image.

        Returns:
            (L, B, N, C), 0 for an image without partner.
        """
        others = (nodes @ self.message_weight)[:, contralateral.index]
        sent = torch.relu(self.neighbours[projection] @ others) * contralateral.present[:, None, None]
        return sent @ self.output_weight.T


def _check_neighbours(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    require_same_counts(module.neighbours, state_dict.get(f'{prefix}neighbours'), 'mirror_neighbours')
