"""Whether mmcv's operators work where a model lies."""

from __future__ import annotations

import torch
from mmcv.ops import get_compiling_cuda_version
from mmdet.models import BaseDetector
from mmengine.model import is_model_wrapper
from torch import nn

from mmmammo.structures import MammoError


def require_operators(model: nn.Module) -> None:
    """Refuse a detector on a GPU for which mmcv was not compiled, before its first NMS does.

    Classifiers need none of these operators.

    Args:
        model: Where it is to run.

    Raises:
        MammoError: With what to install, and how to compute on the CPU instead.
    """
    inner = model.module if is_model_wrapper(model) else model
    if not isinstance(inner, BaseDetector) or get_compiling_cuda_version() != 'not available':
        return
    device = next(inner.parameters()).device
    if device.type == 'cuda':
        raise MammoError(
            str(device),
            field='operators of mmcv',
            found='those for the CPU only',
            expected='operators compiled for the GPU, which detectors need',
            remedy=f'install a toolkit (nvcc) of CUDA {torch.version.cuda} and run make setup; or compute on the CPU, '
            'with CUDA_VISIBLE_DEVICES= before the command',
        )
