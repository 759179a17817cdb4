"""What a step of a model needs of memory besides its weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, chain

import torch
from torch import Tensor, nn


def memory_of(step: Callable[[], object], model: nn.Module) -> int:
    """Bytes of a training step: the peak on a GPU, what autograd keeps on a CPU.

    Args:
        step: Forward and backward of ``model``; on a GPU one that has run before, so that gradients have their place.
        model: The device it is on decides, not what the machine has besides.
    """
    device = next(model.parameters()).device
    return peak_memory(step, device) if device.type == 'cuda' else kept_for_gradient(step, model)


def kept_for_gradient(step: Callable[[], object], model: nn.Module) -> int:
    """Bytes that autograd keeps in a step, each storage once, without those of the model's parameters and buffers.

    A linear layer or a convolution keeps its weight for the gradient of its input, which takes no memory anew. Copies
    of weights in bfloat16, which autocast makes in every step, do and count.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in chain(model.parameters(), model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(kept.values())


def peak_memory(step: Callable[[], object], device: torch.device | str) -> int:
    """Most bytes that torch has allocated at any moment of a step, above those it had before.

    On a CPU the profiler tells of each allocation; arrays that are not torch's are not among them. Where torch is
    built for GPUs and there is none, it writes "gpuGetDeviceCount failed", which means no more than that.
    """
    if torch.device(device).type == 'cuda':
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        step()
        return torch.cuda.max_memory_allocated(device) - before
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        step()
    events = [event for event in profile.kineto_results.events() if event.name() == '[memory]']
    changes = (event.nbytes() for event in sorted(events, key=lambda event: event.start_ns()))
    return max(accumulate(changes, initial=0))
