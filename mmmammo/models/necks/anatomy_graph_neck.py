"""AG-RCNN's anatomy-aware graph network as a neck that any detector may add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmammo.anatomy import GeometricPrior
from mmmammo.models.layers import (
    BipartiteGraph,
    ExamContext,
    ExamContextReader,
    GraphFusion,
    InceptionGraph,
    NodeMapping,
    nearest_nodes,
    read_graph_prior,
)
from mmmammo.registry import MODELS
from mmmammo.structures import MASK_STRIDE, MammoError

_OF_THE_PRIOR = ('bipartite.geometric_prior', 'inception.neighbours', 'mirror.neighbours')


@MODELS.register_module()
class AnatomyGraphNeck(ExamContextReader, BaseModule):
    r"""Lets the views of an exam look at each other through their pseudo-landmarks.

    ::

        pixels --phi--> nodes --+-- bipartite graph, with the other projection  --> messages --psi--+
          |                     +-- inception graph, with the other breast --psi--> attention       |
          |                                                                             |           |
          +-------------------------- features * f(attention) -----------------------> W_f [ . , . ] --> pixels

    It stands behind another neck, ``neck=[dict(type='FPN', ...), dict(type='mmmammo.AnatomyGraphNeck', ...)]``, in a
    detector derived from :class:`mmmammo.models.detectors.MultiViewMixin`, which tells it who is whose partner. Each
    view of a batch is encoded once and serves as examined, ipsilateral and contralateral view; weights are shared by
    the levels, whose nodes go through the graphs together.

    Without an ipsilateral partner an image receives no messages; without a contralateral one its attention is 1/2, as
    it is for every image at initialisation, when the neck is the identity. An image without nodes lacks both.

    Args:
        in_channels: Channels C of the feature levels.
        num_nodes: Pseudo-landmarks of a (CC, MLO) view.
        k: Nodes per pixel.
        branches: Neighbour counts of the inception graph.
        levels: Indices of the levels that take part; the others pass unchanged.
        strides: Input pixels per pixel of each of ``levels``.
        fusion: 'residual' or 'multiplicative', see :class:`GraphFusion`.
        fusion_start: 'identity' or 'random', see there. From a random start a detector's features are scrambled first.
        prior: File of ``tools/build_geometric_prior.py``, or a loaded one; ``None`` for a uniform one. It is kept in
            buffers, so that a checkpoint carries it, as tests want it, which name none; a prior that is named stays,
            and a checkpoint with another one is told. Its ``corner_mode`` has to be that of ``PackMammogram``.
        prior_smoothing: Added to the counts of the prior before they are normalised.
        bgn: Whether to use the bipartite graph.
        ign: Whether to use the inception graph.
        row_norm: Whether to normalise the rows of the inception graph's adjacency (not in the paper's formula).
        prior_row_norm: Whether to divide the rows of H_g by their sums, so that every place is told equally loudly.
        view_dropout: Probability with which training cuts a link to a partner, to be ready for missing views.
        store_attention: Whether to keep the attention of the last batch in :attr:`attention`.
        init_cfg: As in mmengine.

    Raises:
        MammoError: If arguments contradict each other, or the prior cannot be used.
    """

    def __init__(
        self,
        in_channels: int,
        num_nodes: tuple[int, int] = (22, 26),
        k: int = 3,
        branches: Sequence[int] = (1, 3, 5),
        levels: Sequence[int] = (0, 1, 2, 3),
        strides: Sequence[int] = (4, 8, 16, 32),
        fusion: str = 'residual',
        prior: GeometricPrior | str | Path | None = None,
        prior_smoothing: float = 0.0,
        bgn: bool = True,
        ign: bool = True,
        row_norm: bool = True,
        prior_row_norm: bool = False,
        view_dropout: float = 0.1,
        store_attention: bool = False,
        fusion_start: str = 'identity',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_nodes = tuple(num_nodes)
        self.k = k
        self.levels = tuple(levels)
        self.strides = tuple(strides)
        self.view_dropout = view_dropout
        self.store_attention = store_attention
        self.attention: Tensor | None = None
        """(B, H, W) in (0, 1) on the CPU, at the first of ``levels``; 1/2 is neutral. Of the last batch."""
        self._check(branches if ign else (), bgn or ign)
        constants = read_graph_prior(prior, self.num_nodes, prior_smoothing)
        self._prior = constants.source
        self.bipartite = BipartiteGraph(in_channels, constants.geometric, prior_row_norm) if bgn else None
        self.inception = InceptionGraph(in_channels, constants.templates, branches, row_norm) if ign else None
        self.fusion = GraphFusion(in_channels, fusion, bipartite=bgn, inception=ign, start=fusion_start)
        if self._prior is not None:
            self.register_load_state_dict_pre_hook(_keep_prior)

    def read_context(
        self, data_samples: Sequence[DetDataSample], input_shape: tuple[int, int], device: torch.device
    ) -> ExamContext:
        """As the parent's, where the nodes were laid as those of the prior.

        Raises:
            MammoError: As the parent's, or if ``corner_mode`` of the pipeline and of the prior differ.
        """
        if self._prior is not None:
            for mode in {s.metainfo['corner_mode'] for s in data_samples if 'corner_mode' in s.metainfo}:
                self._prior.require_corner_mode(mode)
        return super().read_context(data_samples, input_shape, device)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Exchange features within exams.

        Args:
            inputs: Feature levels, (B, C, H, W) each.

        Returns:
            Levels of the same shapes.

        Raises:
            MammoError: If called outside of :meth:`given`, or a level does not have its stride.
        """
        context = self.context.dropped(self.view_dropout) if self.training else self.context
        features = [inputs[level] for level in self.levels]
        mappings = self._mappings(features, context)
        nodes = self._nodes(features, mappings)
        messages = self._messages(nodes, context)
        attentions = self._attentions(nodes, mappings, context)
        outputs = list(inputs)
        for level, *parts in zip(self.levels, features, mappings, attentions, messages, strict=True):
            outputs[level] = self.fusion(*parts)
        if self.store_attention and self.inception is not None:
            self.attention = attentions[0].detach().float().cpu().view(-1, *features[0].shape[2:])
        return tuple(outputs)

    def _nodes(self, features: Sequence[Tensor], mappings: Sequence[NodeMapping]) -> Tensor:
        """(L, B, N, C), X of every level."""
        return torch.stack([m.to_nodes(f) for m, f in zip(mappings, features, strict=True)])

    def _messages(self, nodes: Tensor, context: ExamContext) -> Sequence[Tensor | None]:
        """What the nodes of every level add to their pixels."""
        if self.bipartite is None:
            return [None] * len(nodes)
        return self.fusion.weighted(self.bipartite(nodes, context.projection, context.ipsilateral))

    def _attentions(
        self, nodes: Tensor, mappings: Sequence[NodeMapping], context: ExamContext
    ) -> Sequence[Tensor | None]:
        """F^_I of every level."""
        if self.inception is None:
            return [None] * len(nodes)
        compared = self.inception(nodes, context.projection, context.contralateral)
        return [self.fusion.attention(z, mapping) for z, mapping in zip(compared, mappings, strict=True)]

    def _mappings(self, features: Sequence[Tensor], context: ExamContext) -> list[NodeMapping]:
        """The node mapping of every level."""
        breasts = [context.breast_mask_at(stride) for stride in self.strides]
        for level, breast, stride in zip(features, breasts, self.strides, strict=True):
            if breast.shape[1:] != level.shape[2:]:
                raise MammoError(
                    'AnatomyGraphNeck',
                    field='strides',
                    found=f'a level of {tuple(level.shape[2:])} pixels for an input of {context.input_shape}',
                    expected=f'{tuple(breast.shape[1:])} pixels at stride {stride}',
                    remedy='make levels and strides those of the neck before it',
                )
        tables = nearest_nodes(context.nodes, context.node_mask, breasts, self.strides, self.k)
        return [NodeMapping(table, context.nodes.shape[1]) for table in tables]

    def _check(self, branches: Sequence[int], any_graph: bool) -> None:
        """Refuse arguments that contradict each other."""
        least = min(self.num_nodes)
        rules = (
            (any_graph, 'bgn, ign', 'neither', 'at least one graph'),
            (1 <= self.k <= least, 'k', self.k, f'1 to {least}, the lesser of num_nodes'),
            (all(1 <= s <= least for s in branches), 'branches', tuple(branches), f'1 to {least} each'),
            (len(self.levels) == len(self.strides), 'strides', self.strides, f'one per level of {self.levels}'),
            (
                all(s >= MASK_STRIDE and s % MASK_STRIDE == 0 for s in self.strides),
                'strides',
                self.strides,
                f'multiples of {MASK_STRIDE}',
            ),
            (0 <= self.view_dropout < 1, 'view_dropout', self.view_dropout, '0 <= p < 1'),
        )
        for holds, field, found, expected in rules:
            if not holds:
                raise MammoError(
                    'AnatomyGraphNeck', field=field, found=found, expected=expected, remedy='change it in the config'
                )


def _keep_prior(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    """Put what the named prior gave in the place of what a checkpoint has, and say so where they differ."""
    own = {f'{prefix}{name}': buffer for name, buffer in module.named_buffers() if name in _OF_THE_PRIOR}
    loaded = {name: state_dict[name] for name in own if name in state_dict}
    others = [name for name, values in loaded.items() if values.shape == own[name].shape]
    if any(not torch.allclose(loaded[name].to(own[name]), own[name]) for name in others):
        MMLogger.get_current_instance().warning(
            'The checkpoint was trained with another geometric prior; that of the config is used (prior=None keeps it).'
        )
    state_dict.update({name: own[name] for name in others})
