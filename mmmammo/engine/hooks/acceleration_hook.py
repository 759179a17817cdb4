"""Layout and precision of a run, by config."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmmammo.engine.layout import use_channels_last
from mmmammo.engine.precision import use_bfloat16
from mmmammo.registry import HOOKS


@HOOKS.register_module()
class AccelerationHook(Hook):
    """Trains and tests with channels innermost, in bfloat16, or both: ``custom_hooks=[dict(type=…, bfloat16=True)]``.

    ``benchmarks/training_step.py`` tells what either gains on a machine. Checkpoints are those of a run without.

    Args:
        channels_last: Lay out images and weights with the channels innermost; the same values but for rounding.
        bfloat16: Compute backbone and neck in bfloat16, see :func:`mmmammo.engine.precision.use_bfloat16`.
    """

    def __init__(self, channels_last: bool = True, bfloat16: bool = False) -> None:
        self.channels_last = channels_last
        self.bfloat16 = bfloat16
        self._done = False

    def before_run(self, runner: Runner) -> None:
        """Change the model, once."""
        if self._done:
            return
        self._done = True
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if self.channels_last:
            use_channels_last(model)
        if self.bfloat16:
            use_bfloat16(model)
