"""Whether there is a lesion at a pseudo-landmark: a question to the nodes of a graph neck in training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmmammo.models.layers.exam_context import ExamContext


class NodeVerdicts(nn.Module):
    r"""Log-odds of a lesion at each node, v = w^T [X_1, .., X_L] + b, and what they are told by the truth.

    Args:
        channels: C of a node at one level.
        num_levels: L.
        prior: Probability of a lesion to begin with.
    """

    def __init__(self, channels: int, num_levels: int, prior: float = 0.05) -> None:
        super().__init__()
        self.weigh = nn.Linear(num_levels * channels, 1)
        nn.init.constant_(self.weigh.bias, math.log(prior / (1 - prior)))

    def forward(self, nodes: Tensor) -> Tensor:
        """Log-odds.

        Args:
            nodes: (L, B, N, C).

        Returns:
            (B, N).
        """
        return self.weigh(nodes.permute(1, 2, 0, 3).flatten(2)).squeeze(-1)


def lesion_nodes(boxes: Sequence[Tensor], context: ExamContext, k: int) -> Tensor:
    """The k nodes nearest to the centre of each lesion, which are those that its pixel there belongs to.

    Args:
        boxes: (G, 4) xyxy of each image in network-input pixels.
        context: Of the batch.
        k: Nodes per pixel.

    Returns:
        (B, N) bool.
    """
    centres = pad_sequence([(of_image[:, :2] + of_image[:, 2:]) / 2 for of_image in boxes], batch_first=True)
    counts = torch.tensor([len(of_image) for of_image in boxes], device=centres.device)
    is_box = torch.arange(centres.shape[1], device=centres.device) < counts[:, None]
    far = torch.cdist(centres, context.nodes).masked_fill(~context.node_mask[:, None], torch.inf)
    nearest = far.topk(k, largest=False).indices.flatten(1)
    votes = torch.zeros(context.node_mask.shape, device=centres.device)
    return (votes.scatter_add_(1, nearest, is_box.repeat_interleave(k, dim=1).float()) > 0) & context.node_mask


def verdict_loss(verdicts: Tensor, lesions: Tensor, context: ExamContext) -> Tensor:
    """Mean binary cross entropy of the nodes that are some; 0 where there are none.

    Args:
        verdicts: (B, N) log-odds.
        lesions: (B, N) bool.
        context: Of the batch.
    """
    each = F.binary_cross_entropy_with_logits(verdicts, lesions.to(verdicts.dtype), reduction='none')
    return (each * context.node_mask).sum() / context.node_mask.sum().clamp(min=1)
