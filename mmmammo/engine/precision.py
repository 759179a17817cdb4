"""Half the bits where most of the work is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

HEAVY_PARTS = ('backbone', 'neck')


def use_bfloat16(model: nn.Module, parts: Sequence[str] = HEAVY_PARTS) -> nn.Module:
    """Compute parts of a detector in bfloat16, whatever device it is on; weights, heads and losses stay float32.

    A box of bfloat16 would have 8 bits, steps of 4 pixels in an image of 1000, and operators such as RoIAlign have no
    kernel for it; backbone and neck do nearly all of the work. The range of bfloat16 is that of float32, so that
    training needs no loss scaling.

    Args:
        model: Its parts are changed in place; state dicts stay what they are.
        parts: Names of the parts, in the order they run; what the last one returns is float32 again.

    Returns:
        The model.
    """
    there = [part for part in (getattr(model, name, None) for name in parts) if isinstance(part, nn.Module)]
    for part in there:
        part.forward = _in_bfloat16(part.forward, back=part is there[-1])
    return model


def _in_bfloat16(forward: Callable[..., Any], back: bool) -> Callable[..., Any]:
    @wraps(forward)
    def run(inputs: Tensor | Sequence[Tensor]) -> Any:
        first = inputs if isinstance(inputs, Tensor) else inputs[0]
        with torch.autocast(first.device.type, dtype=torch.bfloat16):
            outputs = forward(inputs)
        return tuple(level.float() for level in outputs) if back else outputs

    return run
