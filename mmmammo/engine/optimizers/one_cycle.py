"""One cycle of the learning rate, in checkpoints that hold plain data."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OneCycleLR as MMEngineOneCycleLR

from mmmammo.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class OneCycleLR(MMEngineOneCycleLR):
    """mmengine's ``OneCycleLR`` without the method in its state.

    The parent's state holds its annealing as a bound method, and with it scheduler and optimizer as objects:
    checkpoints are larger than they need be, and are refused by loading that runs no code.
    """

    def state_dict(self) -> dict[str, Any]:
        """As the parent's; the annealing is that of the config."""
        state: dict[str, Any] = super().state_dict()
        return {key: value for key, value in state.items() if key != 'anneal_func'}
