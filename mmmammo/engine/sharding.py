"""FSDP: which modules are sharded as one, how gradients are clipped, and how processes without a GPU do it."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones.swin import SwinBlock
from mmdet.models.layers import DetrTransformerDecoderLayer, DetrTransformerEncoderLayer
from mmengine._strategy import FSDPStrategy
from mmengine.optim import BaseOptimWrapper
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from mmmammo.registry import FUNCTIONS, STRATEGIES

TRANSFORMER_LAYERS = (SwinBlock, DetrTransformerEncoderLayer, DetrTransformerDecoderLayer)


@FUNCTIONS.register_module()
def transformer_layers(module: nn.Module, recurse: bool, nonwrapped_numel: int) -> bool:
    """A policy for FSDP's ``auto_wrap_policy``: every transformer layer is a unit, the rest of the model is one more.

    The rest holds what is read outside of its own module's forward: query and level embeddings, and the heads, which
    the decoder asks, too.

    Args:
        module: A module of the model.
        recurse: Whether FSDP asks if it shall look inside; else whether ``module`` is a unit.
        nonwrapped_numel: Parameters of the module that are in no unit yet; not used.
    """
    return recurse or isinstance(module, TRANSFORMER_LAYERS)


@STRATEGIES.register_module()
class WholeNormFSDPStrategy(FSDPStrategy):
    """mmengine's FSDP, with gradients clipped by their norm over all processes, as in a run without shards.

    The parent clips the shard of every process by the norm of that shard: each is scaled by another factor, and what
    comes together is longer than the limit. Arguments are the parent's.
    """

    def build_optim_wrapper(self, optim_wrapper: Any, model: nn.Module | None = None) -> BaseOptimWrapper:
        """As the parent's; clipping by norm asks the sharded model.

        Args:
            optim_wrapper: A config, an optimiser or a wrapper.
            model: In shards.
        """
        built = super().build_optim_wrapper(optim_wrapper, model)
        if getattr(built, 'clip_func', None) is clip_grad_norm_:

            def clip(gradients: list[nn.Parameter], **limits: Any) -> Tensor:
                norm: Tensor = model.clip_grad_norm_(**limits)
                return norm

            built.clip_func = clip
        return built


def cpu_strategy(strategy: dict[str, Any]) -> dict[str, Any]:
    """The same FSDP strategy for processes without a GPU.

    Gathered weights are copied before they are written. mmengine's ``'full'`` has them moved to the CPU instead, which
    on a CPU copies nothing, so that the file would be written from memory that is already free.

    Args:
        strategy: Of a config.
    """
    wrapper = {**strategy.get('model_wrapper', {}), 'device_id': 'cpu'}
    state = {
        'state_dict_type': 'FULL_STATE_DICT',
        'state_dict_config': {'type': 'FullStateDictConfig', 'rank0_only': True},
        'optim_state_dict_config': {'type': 'FullOptimStateDictConfig', 'rank0_only': True},
    }
    return {**strategy, 'model_wrapper': wrapper, 'state_dict_cfg': state}
