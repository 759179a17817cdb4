"""What benchmarks of detectors share: a pair of models with the same weights, an exam of noise, runs in turns."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmmammo.models import AGRCNN
from mmmammo.testing.exam_samples import exam_batch

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'models'
MODEL_FILES = {
    'r50': ('mask_rcnn_r50_gray.py', 'agrcnn_r50.py'),
    'small': ('mask_rcnn_r18_small.py', 'agrcnn_r18_small.py'),
}


def one_exam(size: Sequence[int]) -> dict[str, list]:
    """Four views of noise, with a lesion in each."""
    height, width = size
    return exam_batch(size=(height, width), boxes=[[width * 0.2, height * 0.4, width * 0.3, height * 0.5]])


def build_pair(name: str, device: str, max_detections: int = 5) -> tuple[torch.nn.Module, AGRCNN]:
    """Mask R-CNN and AG-RCNN with the same weights, the graphs' own at random so that nothing is skipped."""
    init_default_scope('mmdet')
    MMLogger.get_instance('mmengine', log_level='WARNING')
    models = []
    for file in MODEL_FILES[name]:
        config = copy.deepcopy(Config.fromfile(CONFIGS / file).model)
        config.backbone.init_cfg = None  # random weights: nothing is downloaded
        config.test_cfg.rcnn.max_per_img = max_detections
        models.append(MODELS.build(config).to(device))
    plain, multi = models
    plain.init_weights()
    multi.load_state_dict(plain.state_dict(), strict=False)
    return plain, multi


def predictor(model: torch.nn.Module, batch: dict[str, list]) -> Callable[[], SampleList]:
    """Inference of the whole batch, from images to detections."""

    @torch.no_grad()
    def run() -> SampleList:
        return model.eval().test_step(copy.deepcopy(batch))

    return run


def trainer(model: torch.nn.Module, batch: dict[str, list]) -> Callable[[], float]:
    """One training step: forward, backward, update."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def run() -> float:
        torch.manual_seed(0)  # the same proposals are sampled on both sides
        data = model.train().data_preprocessor(copy.deepcopy(batch), training=True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return run


def alternate(sides: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Seconds of each side, taken in turns so that a busy moment of the machine hits all."""
    times: list[list[float]] = [[] for _ in sides]
    for turn in range(repeats + 1):
        for function, of_side in zip(sides, times, strict=True):
            seconds = timed(function)
            if turn > 0:  # the first one warms up
                of_side.append(seconds)
    return times


def timed(function: Callable[[], object]) -> float:
    """Seconds of one call."""
    _synchronise()
    begin = time.perf_counter()
    function()
    _synchronise()
    return time.perf_counter() - begin


def memory_of(step: Callable[[], object]) -> int:
    """Bytes a training step needs besides the weights: the peak on a GPU, what is kept for the gradient on a CPU."""
    if torch.cuda.is_available():
        step()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated() - before
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(kept.values())


def describe(device: str) -> str:
    """The device, in words."""
    if device.startswith('cuda'):
        return torch.cuda.get_device_name()
    return f'CPU, {torch.get_num_threads()} threads'


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
