"""RoIAlign, fast on CPU."""

from __future__ import annotations

import torch
from mmcv.ops.roi_align import roi_align as stock_roi_align
from torch import Tensor
from torch.nn.modules.utils import _pair

from mmmammo.ops.library import is_compiled
from mmmammo.structures import MammoError


def roi_align(
    features: Tensor,
    regions: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> Tensor:
    """Mean of the samples in every bin of every region, Mask R-CNN (1703.06870) section 3.

    The compiled operator answers for tensors on CPU; on other devices, in low precision and without it mmcv's does,
    with the same numbers but for rounding.

    Args:
        features: (num_images, channels, height, width).
        regions: (n, 5) as number of the image, x1, y1, x2, y2.
        output_size: Rows and columns of bins, or one number for both.
        spatial_scale: From the boxes' pixels to cells.
        sampling_ratio: Samples a side of a bin; 0 for as many as it has cells, rounded up.
        aligned: The centre of the first cell is at 0.5, not at 0.

    Returns:
        (n, channels, rows, columns). With the compiled operator a region whose box is not finite is nan.

    Raises:
        MammoError: If shapes, types or devices do not go together; on CPU also if a region is of no image or, where
            aligned, ends before it begins.
    """
    _check(features, regions, aligned)
    size = _pair(output_size)
    if features.device.type != 'cpu' or features.dtype not in (torch.float32, torch.float64) or not is_compiled():
        given = (features.contiguous(), regions.contiguous())  # mmcv's kernels read no strides
        return stock_roi_align(*given, size, spatial_scale, sampling_ratio, 'avg', aligned)
    given = (features, regions.detach().contiguous())
    return _RoIAlign.apply(*given, size, spatial_scale, sampling_ratio, aligned).contiguous()


class _RoIAlign(torch.autograd.Function):
    """The compiled operator and its gradient; none goes to the boxes."""

    @staticmethod
    def forward(ctx, features, regions, output_size, spatial_scale, sampling_ratio, aligned):
        ctx.save_for_backward(regions)
        ctx.given = (features.shape, spatial_scale, sampling_ratio, aligned)
        return torch.ops.mmmammo.roi_align(features, regions, *output_size, *ctx.given[1:])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        (regions,) = ctx.saved_tensors
        return torch.ops.mmmammo.roi_align_backward(grad, regions, *ctx.given), None, None, None, None, None


def _check(features: Tensor, regions: Tensor, aligned: bool) -> None:
    """Refuse what would read outside of the tensors."""
    if features.dim() != 4 or regions.dim() != 2 or regions.shape[1] != 5:
        raise _error('features, regions', f'{tuple(features.shape)}, {tuple(regions.shape)}', '(n, c, h, w) and (n, 5)')
    if features.dtype != regions.dtype or features.device != regions.device:
        raise _error(
            'regions', f'{regions.dtype} on {regions.device}', f'as the features: {features.dtype} on {features.device}'
        )
    if features.device.type != 'cpu':
        return  # looking would wait for the device
    images = regions[:, 0]
    strangers = images[~((images >= 0) & (images < len(features)))]
    if len(strangers):
        raise _error('regions', f'image {strangers[0].item():g}', f'0 to {len(features) - 1}')
    inverted = regions[(regions[:, 3:] < regions[:, 1:3]).any(1)]
    if aligned and len(inverted):
        raise _error('regions', f'box {inverted[0, 1:].tolist()}', 'x1, y1, x2, y2 with x1 <= x2 and y1 <= y2')


def _error(field: str, found: object, expected: str) -> MammoError:
    remedy = 'pass tensors as the docstring of mmmammo.ops.roi_align says'
    return MammoError('roi_align', field=field, found=found, expected=expected, remedy=remedy)
