"""mmcv's deformable attention module, with the sampling of :mod:`mmmammo.ops` on CPU, and bfloat16 on a GPU."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction
from torch import Tensor, nn

from mmmammo.ops import deformable_attention


class FusedDeformableAttention(MultiScaleDeformableAttention):
    """The same module with the same weights; on CPU it takes a fraction of the time and of the memory.

    On other devices it is the parent, except in bfloat16 on a GPU, for which mmcv has no kernel and goes through
    PyTorch: there mmcv's kernel samples in float32, between projections of bfloat16. :func:`fuse_deformable_attention`
    turns the modules of a model into it.
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        reference_points: Tensor | None = None,
        spatial_shapes: Tensor | None = None,
        level_start_index: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Attend to the points that each query asks for.

        Args:
            query: (bs, num_queries, dim), or with queries first unless ``batch_first``.
            key: Plays no part.
            value: (bs, num_keys, dim), cells of all levels; by default the queries.
            identity: Added to the result; by default the queries.
            query_pos: Added to the queries.
            key_padding_mask: (bs, num_keys), true at padding.
            reference_points: (bs, num_queries, num_levels, 2) xy, or 4 for cxcywh boxes, in [0, 1].
            spatial_shapes: (num_levels, 2) rows and columns.
            level_start_index: (num_levels,) the first cell of each level; not needed on CPU.
            **kwargs: What else the layers of mmdet hand to every attention; for the parent.

        Returns:
            Shaped as ``query``.
        """
        if query.device.type != 'cpu' and not _in_bfloat16(query):
            given = (query, key, value, identity, query_pos, key_padding_mask, reference_points, spatial_shapes)
            return super().forward(*given, level_start_index, **kwargs)
        identity = query if identity is None else identity
        value = query if value is None else value
        query = query if query_pos is None else query + query_pos
        if not self.batch_first:
            query, value = query.transpose(0, 1), value.transpose(0, 1)
        sampled = self._project(value, key_padding_mask)
        points, weights = self._locate(query, reference_points, spatial_shapes), self._weigh(query)
        if query.device.type == 'cpu':
            out = deformable_attention(sampled, spatial_shapes, points, weights)
        else:
            out = _sample_in_float32(sampled, spatial_shapes, level_start_index, points, weights, self.im2col_step)
        out = self.output_proj(out)
        return self.dropout(out if self.batch_first else out.transpose(0, 1)) + identity

    def _project(self, value: Tensor, padding: Tensor | None) -> Tensor:
        """(bs, num_keys, num_heads, dim per head); nothing where there is padding."""
        value = self.value_proj(value)
        if padding is not None:
            value = value.masked_fill(padding[..., None], 0.0)
        return value.unflatten(-1, (self.num_heads, -1))

    def _weigh(self, query: Tensor) -> Tensor:
        """(bs, num_queries, num_heads, num_levels, num_points), summing to one over levels and points."""
        weights = self.attention_weights(query).unflatten(-1, (self.num_heads, -1)).softmax(-1)
        return weights.unflatten(-1, (self.num_levels, self.num_points))

    def _locate(self, query: Tensor, reference_points: Tensor, spatial_shapes: Tensor) -> Tensor:
        """(bs, num_queries, num_heads, num_levels, num_points, 2) xy: offsets in cells, or in shares of a box."""
        offsets = self.sampling_offsets(query)
        offsets = offsets.unflatten(-1, (self.num_heads, self.num_levels, self.num_points, 2))
        references = reference_points[:, :, None, :, None]
        if references.shape[-1] == 2:
            return references + offsets / spatial_shapes.flip(-1)[:, None]
        return references[..., :2] + offsets * references[..., 2:] * (0.5 / self.num_points)


def _in_bfloat16(query: Tensor) -> bool:
    """Whether the projections of a query would be of bfloat16, by its own type or by autocast."""
    kind = query.device.type
    return query.dtype is torch.bfloat16 or (
        torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) is torch.bfloat16
    )


def _sample_in_float32(
    value: Tensor, shapes: Tensor, starts: Tensor | None, points: Tensor, weights: Tensor, step: int
) -> Tensor:
    """By mmcv's kernel, which has float and half only; the result is of the values' own type."""
    tensors = value.float().contiguous(), shapes, starts, points.float().contiguous(), weights.float().contiguous()
    return MultiScaleDeformableAttnFunction.apply(*tensors, step).to(value.dtype)


def fuse_deformable_attention(model: nn.Module) -> nn.Module:
    """Turn every :class:`mmcv.ops.MultiScaleDeformableAttention` of a model into the fused one, in place.

    Weights, their names and gradients stay; a subclass with a forward of its own is left alone.
    """
    for module in model.modules():
        if type(module) is MultiScaleDeformableAttention:
            module.__class__ = FusedDeformableAttention
    return model
