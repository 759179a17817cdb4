"""Attention between the views of an exam as a neck: what anatomy's worth is measured against."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmammo.models.layers import ExamContextReader, Partners, TokenGrid, ViewContext, sine_encoding
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class CrossViewAttentionNeck(ExamContextReader, BaseModule):
    r"""Lets each view of an exam attend to the tokens of its two partners; knows nothing of landmarks.

    ::

        pixels --mean of grid cells--> tokens --+-- queries ------------------------------+
                                                +-- keys, values of ipsilateral partner --+--> W_o --spread--> + pixels
                                                +-- keys, values of contralateral one ----+

    It takes the place of :class:`AnatomyGraphNeck`, in the same detectors: behind another neck, one exam per batch or
    several, each view encoded once and examined, weights shared by the levels. W_o starts at 0, the neck as the
    identity. A missing partner is masked; without any, all attention goes to a null token of value 0 and the image
    passes unchanged. Memory does not grow with the image: there are as many tokens as ``grid`` has cells.

    Args:
        in_channels: Channels C of the feature levels, a multiple of 4 and of ``num_heads``.
        num_heads: Heads of the attention.
        grid: (rows, columns) of tokens per view and level.
        levels: Indices of the levels that take part; the others pass unchanged.
        view_dropout: Probability with which training cuts a link to a partner, to be ready for missing views.
        init_cfg: As in mmengine.

    Raises:
        MammoError: If arguments contradict each other.
    """

    def __init__(
        self,
        in_channels: int,
        num_heads: int = 8,
        grid: tuple[int, int] = (16, 16),
        levels: Sequence[int] = (0, 1, 2, 3),
        view_dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_heads = num_heads
        self.grid = tuple(grid)
        self.levels = tuple(levels)
        self.view_dropout = view_dropout
        self._check(in_channels)
        self.norm = nn.LayerNorm(in_channels)
        self.place = nn.Linear(in_channels, in_channels, bias=False)
        self.query = nn.Linear(in_channels, in_channels)
        self.key_value = nn.Linear(in_channels, 2 * in_channels)
        self.relation = nn.Parameter(torch.zeros(2, 2 * in_channels))
        """What keys and values of an ipsilateral and of a contralateral partner add: which of the two they are of."""
        self.output = nn.Linear(in_channels, in_channels, bias=False)
        nn.init.zeros_(self.output.weight)

    def read_context(
        self, data_samples: Sequence[DetDataSample], input_shape: tuple[int, int], device: torch.device
    ) -> ViewContext:
        """Partners and sizes; no landmarks."""
        return ViewContext.from_data_samples(data_samples, input_shape, device)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Exchange features within exams.

        Args:
            inputs: Feature levels, (B, C, H, W) each.

        Returns:
            Levels of the same shapes.

        Raises:
            MammoError: If called outside of :meth:`given`.
        """
        context = self.context.dropped(self.view_dropout) if self.training else self.context
        grid = TokenGrid(self.grid, context.sizes, context.input_shape)
        tokens = torch.stack([grid.pool(inputs[level]) for level in self.levels])  # (L, B, T, C)
        news = self.output(self._attend(tokens, grid.places, (context.ipsilateral, context.contralateral)))
        outputs = list(inputs)
        for level, of_level in zip(self.levels, news, strict=True):
            features = inputs[level]
            outputs[level] = features + grid.spread(of_level, features.shape[2:]).to(features)
        return tuple(outputs)

    def _attend(self, tokens: Tensor, places: Tensor, partners: Sequence[Partners]) -> Tensor:
        """(L, B, T, C): what each token takes from the partners of its image."""
        levels, batch, size, channels = tokens.shape
        normed = self.norm(tokens)
        placed = normed + self.place(sine_encoding(places, channels))
        key, value = self.key_value(placed).chunk(2, dim=-1)
        relation = self.relation.view(2, 2, channels)
        keys = torch.cat([key[:, p.index] + r[0] for p, r in zip(partners, relation, strict=True)], dim=2)
        values = torch.cat([value[:, p.index] + r[1] for p, r in zip(partners, relation, strict=True)], dim=2)
        seen = torch.cat([p.present[:, None].expand(-1, size) for p in partners], dim=1)  # (B, 2 T)
        # The null token: something to attend to where no partner is.
        keys, values = F.pad(keys, (0, 0, 1, 0)), F.pad(values, (0, 0, 1, 0))
        seen = F.pad(seen, (1, 0), value=True).repeat(levels, 1)
        query, keys, values = (self._heads(x) for x in (self.query(placed), keys, values))
        found = F.scaled_dot_product_attention(query, keys, values, attn_mask=seen[:, None, None])
        return found.transpose(1, 2).reshape(levels, batch, size, channels)

    def _heads(self, x: Tensor) -> Tensor:
        """(L, B, T, C) to (L * B, heads, T, C / heads)."""
        return x.flatten(0, 1).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def _check(self, channels: int) -> None:
        """Refuse arguments that contradict each other."""
        rules = (
            (
                channels % 4 == 0 and channels % self.num_heads == 0,
                'in_channels',
                channels,
                'a multiple of 4 and heads',
            ),
            (len(self.grid) == 2 and min(self.grid) >= 1, 'grid', self.grid, 'two numbers from 1 up'),
            (len(self.levels) > 0, 'levels', self.levels, 'at least one'),
            (0 <= self.view_dropout < 1, 'view_dropout', self.view_dropout, '0 <= p < 1'),
        )
        for holds, field, found, expected in rules:
            if not holds:
                raise MammoError(
                    type(self).__name__, field=field, found=found, expected=expected, remedy='change it in the config'
                )
