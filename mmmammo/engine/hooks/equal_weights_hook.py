"""Proof, once an epoch, that the processes of a run train one model."""

from __future__ import annotations

import math

import torch
from mmengine.dist import all_gather, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.distributed.fsdp import FullyShardedDataParallel

from mmmammo.registry import HOOKS


@HOOKS.register_module()
class EqualWeightsHook(Hook):
    """After every epoch compares the weights of all processes, and stops a run in which they differ.

    Weights drift apart silently when parameters are unfrozen after DDP was set up, or when a process skips a gradient.
    The comparison exchanges two numbers per process and costs nothing in a run of one process. A model in shards (FSDP)
    has other weights in each process and is not compared.

    Raises:
        RuntimeError: If the weights differ, or are not finite.
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Compare."""
        if get_world_size() == 1 or isinstance(runner.model, FullyShardedDataParallel):
            return
        sums = [tuple(s.tolist()) for s in all_gather(checksum(runner.model))]
        broken = [rank for rank, pair in enumerate(sums) if not all(map(math.isfinite, pair))]
        if broken:
            raise RuntimeError(
                f'epoch {runner.epoch + 1}: the weights are not finite (in process {", ".join(map(str, broken))}): '
                'training has diverged. Remedy: a smaller learning rate, or no --amp'
            )
        if len(set(sums)) > 1:
            raise RuntimeError(f'epoch {runner.epoch + 1}: the processes hold different weights, checksums {sums}')
        runner.logger.info(f'Weights of all {len(sums)} processes are equal, checksum {sums[0][0]:.10g}')


def checksum(model: torch.nn.Module) -> torch.Tensor:
    """(2,) float64: the sum of all weights, and their sum weighted by position, which a swap would change."""
    parameters = [p.detach().double().flatten() for p in model.parameters()]
    total = sum(p.sum() for p in parameters)
    placed = sum(torch.dot(p, torch.arange(1, p.numel() + 1, dtype=p.dtype, device=p.device)) for p in parameters)
    return torch.stack([torch.as_tensor(total), torch.as_tensor(placed)])
