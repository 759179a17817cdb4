"""One model in all processes, its running statistics included."""

from __future__ import annotations

from mmengine.dist import all_reduce_params, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from mmmammo.registry import HOOKS


@HOOKS.register_module()
class AverageStatisticsHook(Hook):
    """At the end of an epoch, running means and variances of batch norms become the mean over all processes.

    mmengine's DDP leaves each process its own, so that a validation would judge as many models as there are processes
    and a checkpoint hold the first. Other buffers are constants and stay (mmengine's SyncBuffersHook takes all).
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Average; before validation and checkpoint."""
        if get_world_size() == 1:
            return
        norms = [module for module in runner.model.modules() if isinstance(module, _BatchNorm)]
        running = [each for norm in norms for each in (norm.running_mean, norm.running_var) if each is not None]
        if running:
            all_reduce_params(running, op='mean')
