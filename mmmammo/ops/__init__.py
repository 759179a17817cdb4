"""Operators that PyTorch and mmcv have no fast version of on CPU; ``python -m mmmammo.ops.build`` compiles them.

Without the compiled library everything works all the same, by PyTorch and mmcv and slower.
"""

from mmmammo.ops.attention import deformable_attention
from mmmammo.ops.region_pooling import roi_align

__all__ = ['deformable_attention', 'roi_align']
