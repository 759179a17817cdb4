"""Multi-scale deformable attention, fast on CPU."""

from __future__ import annotations

import torch
from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch
from torch import Tensor

from mmmammo.ops.library import is_compiled
from mmmammo.structures import MammoError


def deformable_attention(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """Sample every level at the points of every query and sum by weight, Deformable DETR (2010.04159) equation 3.

    The compiled operator answers for tensors on CPU; on other devices and without it mmcv's PyTorch version does, with
    the same numbers but for rounding. Low precision is computed in float32.

    Args:
        value: Cells of all levels, one level after another: (bs, num_keys, num_heads, dim).
        shapes: Rows and columns of the levels: (num_levels, 2), whole numbers.
        locations: (bs, num_queries, num_heads, num_levels, num_points, 2) as (x, y); a level spans [0, 1] from edge to
            edge, outside of it is nothing. What is not finite gives nan.
        weights: (bs, num_queries, num_heads, num_levels, num_points).

    Returns:
        (bs, num_queries, num_heads * dim), as precise as ``value``.

    Raises:
        MammoError: If shapes, types or devices do not go together.
    """
    _check(value, shapes, locations, weights)
    precision = torch.promote_types(value.dtype, torch.float32)
    value_, locations, weights = (tensor.to(precision).contiguous() for tensor in (value, locations, weights))
    if value.device.type == 'cpu' and is_compiled():
        shapes = shapes.to('cpu', torch.int64).contiguous()
        return _DeformableAttention.apply(value_, shapes, locations, weights).to(value.dtype)
    return multi_scale_deformable_attn_pytorch(value_, shapes, locations, weights).to(value.dtype)


class _DeformableAttention(torch.autograd.Function):
    """The compiled operator and its gradient."""

    @staticmethod
    def forward(ctx, value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(value, shapes, locations, weights)
        return torch.ops.mmmammo.deformable_attention(value, shapes, locations, weights)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        value, shapes, locations, weights = ctx.saved_tensors
        gradient = torch.ops.mmmammo.deformable_attention_backward
        grad_value, grad_locations, grad_weights = gradient(grad.contiguous(), value, shapes, locations, weights)
        return grad_value, None, grad_locations, grad_weights


def _check(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> None:
    """Refuse what would read outside of the tensors or mean something else."""
    if value.dim() != 4 or locations.dim() != 6 or shapes.dim() != 2:
        found = f'{tuple(value.shape)}, {tuple(shapes.shape)}, {tuple(locations.shape)}'
        raise _error('value, shapes, locations', found, '4, 2 and 6 dimensions')
    batch, keys, heads, _ = value.shape
    wanted = (batch, locations.shape[1], heads, len(shapes), locations.shape[4])
    cells = int((shapes[:, 0] * shapes[:, 1]).sum())
    if cells != keys or bool((shapes < 0).any()):
        raise _error('shapes', f'{shapes.tolist()}, {cells} cells', f'{keys}, the keys of value')
    for name, tensor, size in (('locations', locations, (*wanted, 2)), ('weights', weights, wanted)):
        if tuple(tensor.shape) != size:
            raise _error(name, tuple(tensor.shape), f'{size}')
    for name, tensor in (('value', value), ('locations', locations), ('weights', weights)):
        if not tensor.is_floating_point() or tensor.device != value.device:
            raise _error(name, f'{tensor.dtype} on {tensor.device}', f'a floating-point type on {value.device}')
    if shapes.is_floating_point():
        raise _error('shapes', shapes.dtype, 'whole numbers')


def _error(field: str, found: object, expected: str) -> MammoError:
    remedy = 'pass tensors as the docstring of mmmammo.ops.deformable_attention says'
    return MammoError('deformable_attention', field=field, found=found, expected=expected, remedy=remedy)
