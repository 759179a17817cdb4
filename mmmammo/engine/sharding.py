"""FSDP: which modules are sharded as one, and how processes without a GPU do it."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones.swin import SwinBlock
from mmdet.models.layers import DetrTransformerDecoderLayer, DetrTransformerEncoderLayer
from torch import nn

from mmmammo.registry import FUNCTIONS

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
