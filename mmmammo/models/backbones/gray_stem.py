"""How the first filter of an RGB checkpoint becomes one for grey images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmmammo.structures import MammoError

STEM_WEIGHTS = {'sum': (1.0, 1.0, 1.0), 'luma': (0.299, 0.587, 0.114)}
"""Weights of a checkpoint's R, G and B filters in the one filter that replaces them.

'sum' responds to a grey image exactly as the RGB network does to its three copies. 'luma' is the formula of paper 3;
its weights add up to 1, so it responds about a third as strongly, which the frozen statistics of the first BatchNorm
were not made for.
"""


def adapt_rgb_stem(module: nn.Module, weight: str, adaptation: str) -> None:
    """Let a module of one input channel load RGB checkpoints.

    Args:
        module: A backbone.
        weight: Name of its first filter, relative to the module. A checkpoint's (out, 3, h, w) becomes (out, 1, h, w);
            any other is left alone.
        adaptation: One of :data:`STEM_WEIGHTS`.

    Raises:
        MammoError: If ``adaptation`` is unknown.
    """
    if adaptation not in STEM_WEIGHTS:
        raise MammoError(
            type(module).__name__,
            field='stem_adaptation',
            found=repr(adaptation),
            expected=f'one of {list(STEM_WEIGHTS)}',
            remedy='choose one',
        )

    def adapt(_: nn.Module, state_dict: dict[str, Tensor], prefix: str, *__: Any) -> None:
        found = state_dict.get(prefix + weight)
        if found is not None and found.shape[1] == 3:
            channels = torch.tensor(STEM_WEIGHTS[adaptation]).to(found)
            state_dict[prefix + weight] = torch.einsum('orhw,r->ohw', found, channels)[:, None]

    module.register_load_state_dict_pre_hook(adapt)
