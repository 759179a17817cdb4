"""Which pyramid level a region is pooled from, in half precision as in single."""

from __future__ import annotations

from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor, nn


class FloatLevelExtractor(SingleRoIExtractor):
    """The same module; levels are those of float32.

    Under ``--amp`` mmdet computes areas in half precision, which knows nothing beyond 65504: every region of more than
    256 x 256 pixels would be pooled from the coarsest level in training, and from another one in tests.
    """

    def map_roi_levels(self, rois: Tensor, num_levels: int) -> Tensor:
        """Level of each of (n, 5) regions."""
        return super().map_roi_levels(rois.float(), num_levels)


def use_float_levels(model: nn.Module) -> nn.Module:
    """Turn every :class:`SingleRoIExtractor` of a model into the one above, in place; a subclass is left alone."""
    for module in model.modules():
        if type(module) is SingleRoIExtractor:
            module.__class__ = FloatLevelExtractor
    return model
