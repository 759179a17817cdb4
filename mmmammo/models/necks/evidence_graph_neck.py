"""AG-RCNN's neck with nodes that carry the strongest evidence of their place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from mmmammo.models.layers import (
    ExamContext,
    MirrorGraph,
    NodeMapping,
    NodeVerdicts,
    lesion_nodes,
    read_graph_prior,
    verdict_loss,
)
from mmmammo.models.necks.anatomy_graph_neck import AnatomyGraphNeck
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class EvidenceGraphNeck(AnatomyGraphNeck):
    r"""An :class:`AnatomyGraphNeck` in which a lesion of a few pixels is heard in the other views.

    A node of paper 3 is the mean of all pixels of its place, of which a lesion is a small part, and a mean of what a
    linear layer such as that of an FPN puts out, where what one pixel says the next may take back. Five things differ;
    whether they detect better is what the table of ``configs/agrcnn/README.md`` is for:

    * pixels speak through E = ReLU(F W_E + b_E), a linear layer of their own;
    * a node is log(mean(exp(t E))) / t, a smooth maximum whose sharpness t is learned per channel;
    * node features are standardised over the nodes of their view: how a place differs from the rest of its breast;
    * the contralateral view sends messages too (:class:`MirrorGraph`), and rows of H_g sum to 1;
    * in training the nodes are asked whether there is a lesion at them (:class:`NodeVerdicts`). Without, what a node
      says is learned only once what it sends is heard, and the other way round, and neither may begin.

    Args:
        in_channels: Channels C of the feature levels, and of E.
        sharpness: t to begin with, for features of unit scale.
        mirror_neighbours: Contralateral nodes that send a message to a node.
        verdict_weight: Of the loss ``loss_nodes`` of :func:`verdict_loss`; 0 for none.
        prior: As in the parent.
        prior_smoothing: As in the parent.
        **kwargs: As in the parent.

    Raises:
        MammoError: As in the parent.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        sharpness: float = 4.0,
        mirror_neighbours: int = 3,
        verdict_weight: float = 1.0,
        prior: Any = None,
        prior_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_channels, prior=prior, prior_smoothing=prior_smoothing, **{'prior_row_norm': True, **kwargs}
        )
        if not sharpness > 0 or not 1 <= mirror_neighbours <= min(self.num_nodes) or not verdict_weight >= 0:
            raise MammoError(
                type(self).__name__,
                field='sharpness, mirror_neighbours, verdict_weight',
                found=(sharpness, mirror_neighbours, verdict_weight),
                expected=f'a number above 0, 1 to {min(self.num_nodes)} neighbours, and a weight of 0 or more',
                remedy='change it in the config',
            )
        self.evidence = nn.Conv2d(in_channels, in_channels, 1)
        self.log_sharpness = nn.Parameter(torch.full((in_channels,), math.log(sharpness)))
        templates = read_graph_prior(prior, self.num_nodes, prior_smoothing).templates
        self.mirror = MirrorGraph(in_channels, templates, mirror_neighbours)
        self.verdict_weight = verdict_weight
        self.verdicts = NodeVerdicts(in_channels, len(self.levels)) if verdict_weight else None
        self._given_verdicts: Tensor | None = None

    @contextmanager
    def given(self, context: ExamContext) -> Iterator[None]:
        """As the parent's; what the nodes said in it is forgotten at the end, whether it was judged or not."""
        with super().given(context):
            try:
                yield
            finally:
                self._given_verdicts = None

    def losses(self, data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """``loss_nodes`` of the batch just seen in training, once; nothing while a stage of training freezes the neck.

        Args:
            data_samples: One per image.
        """
        given, self._given_verdicts = self._given_verdicts, None
        if given is None:
            return {}
        lesions = lesion_nodes([sample.gt_instances.bboxes for sample in data_samples], self.context, self.k)
        return {'loss_nodes': self.verdict_weight * verdict_loss(given, lesions, self.context)}

    def _nodes(self, features: Sequence[Tensor], mappings: Sequence[NodeMapping]) -> Tensor:
        sharpness = self.log_sharpness.exp()
        evidence = [torch.relu(self.evidence(level)) for level in features]
        nodes = torch.stack([m.to_nodes(e, sharpness) for m, e in zip(mappings, evidence, strict=True)])
        nodes = standardised(nodes, torch.stack([m.occupied for m in mappings]))
        if self.training and self.verdicts is not None and self.verdicts.weigh.weight.requires_grad:
            self._given_verdicts = self.verdicts(nodes).float()
        return nodes

    def _messages(self, nodes: Tensor, context: ExamContext) -> Sequence[Tensor | None]:
        mirrored = self.mirror(nodes, context.projection, context.contralateral)
        sent = super()._messages(nodes, context)
        return [other if mine is None else mine + other for mine, other in zip(sent, mirrored, strict=True)]


def standardised(nodes: Tensor, occupied: Tensor) -> Tensor:
    """Channels of mean 0 and variance 1 over the nodes of a view.

    Args:
        nodes: (L, B, N, C).
        occupied: (L, B, N) bool, the nodes that have pixels; the others become 0.

    Returns:
        (L, B, N, C).
    """
    valid = occupied[..., None]
    shares = valid / valid.sum(dim=2, keepdim=True).clamp(min=1)
    centred = (nodes - (nodes * shares).sum(dim=2, keepdim=True)) * valid
    return centred * ((centred.square() * shares).sum(dim=2, keepdim=True) + 1e-5).rsqrt()
