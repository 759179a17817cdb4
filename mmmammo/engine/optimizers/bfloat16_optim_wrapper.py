"""Training under bfloat16 autocast, with or without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmmammo.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """An ``OptimWrapper`` whose forward passes run under bfloat16 autocast; weights and gradients stay float32.

    ``AmpOptimWrapper(dtype='bfloat16')`` does the same on a GPU, and refuses to start without one. The range of
    bfloat16 is that of float32, so that no loss is scaled. ``mmmammo.engine.precision.use_bfloat16`` is the choice for
    models whose heads have no kernel for it. Arguments are the parent's.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute in bfloat16 on the device that the model is on.

        Args:
            model: The model to train.
        """
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
