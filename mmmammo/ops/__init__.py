"""Operators that PyTorch and mmcv have no fast version of on CPU; ``python -m mmmammo.ops.build`` compiles them.

Without the compiled library everything works all the same, on PyTorch alone and slower.
"""

from mmmammo.ops.attention import deformable_attention

__all__ = ['deformable_attention']
