"""Lookahead around RAdam, for mmengine's configs."""

from __future__ import annotations

from typing import Any

import torch
from timm.optim import Lookahead

from mmmammo.registry import OPTIMIZERS
from mmmammo.structures import MammoError


@OPTIMIZERS.register_module()
class LookaheadRAdam(Lookahead):
    """timm's ``Lookahead`` around torch's ``RAdam``: what timm calls ``lookahead_radam``.

    RAdam (Liu et al., ICLR 2020): while the variance of Adam's second moment is unknown, the first five steps with a
    beta2 of .999, it is momentum SGD with bias correction. Lookahead (Zhang et al., NeurIPS 2019): after every ``k``
    steps the weights go back to ``slow + alpha * (weights - slow)``, and ``slow`` goes there too. In timm ``slow``
    begins as the weights after the first ``k`` steps, so that the first of these moments does nothing; the paper begins
    with those before them.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        betas: Of the two moments.
        eps: Added to the root of the second moment.
        weight_decay: L2, added to the gradient.
        alpha: How far the slow weights follow, in [0, 1].
        k: Steps between two of their moves, at least 1.

    Raises:
        MammoError: If a number is out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        alpha: float = 0.5,
        k: int = 6,
    ) -> None:
        try:
            fast = torch.optim.RAdam(params, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)
            super().__init__(fast, alpha=alpha, k=k)
        except ValueError as err:
            raise MammoError(
                'LookaheadRAdam',
                field='arguments',
                found=str(err),
                expected='lr, eps and weight_decay at least 0, betas in [0, 1), alpha in [0, 1], k at least 1',
                remedy='correct the optimizer of the config',
            ) from err
