"""mmcv's RoIAlign module, computed by :mod:`mmmammo.ops` on CPU."""

from __future__ import annotations

from mmcv.ops import RoIAlign
from torch import Tensor, nn

from mmmammo.ops import roi_align


class FusedRoIAlign(RoIAlign):
    """The same module; on CPU it takes a fraction of the time.

    :func:`fuse_roi_align` turns those of a model into it.
    """

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Pool regions.

        Args:
            input: (num_images, channels, height, width).
            rois: (n, 5) as number of the image, x1, y1, x2, y2.

        Returns:
            (n, channels, rows, columns).
        """
        if input.device.type != 'cpu' or self.pool_mode != 'avg' or self.use_torchvision:
            return super().forward(input.contiguous(), rois)  # mmcv's kernels read no strides
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)


def fuse_roi_align(model: nn.Module) -> nn.Module:
    """Turn every :class:`mmcv.ops.RoIAlign` of a model into the fused one, in place; a subclass is left alone."""
    for module in model.modules():
        if type(module) is RoIAlign:
            module.__class__ = FusedRoIAlign
    return model
