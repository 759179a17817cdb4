"""What benchmarks of detectors share: a pair of models with the same weights, exams of noise, runs in turns."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmmammo.engine.hooks import AccelerationHook
from mmmammo.engine.inference import speed_up
from mmmammo.models import AGRCNN
from mmmammo.testing.exam_samples import exam_batch

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'models'
MODEL_FILES = {
    'r50': ('mask_rcnn_r50_gray.py', 'agrcnn_r50.py'),
    'small': ('mask_rcnn_r18_small.py', 'agrcnn_r18_small.py'),
}


def noise_exams(size: Sequence[int], count: int = 1) -> dict[str, list]:
    """A batch of exams of four views of noise, with a lesion in each view."""
    height, width = size
    return exam_batch(count, size=(height, width), boxes=[[width * 0.2, height * 0.4, width * 0.3, height * 0.5]])


def build_pair(name: str, device: str, max_detections: int = 5) -> tuple[torch.nn.Module, AGRCNN]:
    """Mask R-CNN and AG-RCNN with the same weights; those with which the graph begins as the identity, at random."""
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
    for weight in multi.neck[1].parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.02)
    return plain, multi


def with_setting(model: torch.nn.Module, setting: str) -> torch.nn.Module:
    """A copy of a model in another layout or precision.

    Args:
        model: Stays as it is.
        setting: ``'as-is'``, or one or more of these joined by ``+``: ``'speed_up'``, batch norms folded and
            channels-last, as :class:`mmmammo.apis.ExamInferencer` has its model, for inference only;
            ``'channels-last'`` and ``'bf16'``, as :class:`mmmammo.AccelerationHook` makes them.
    """
    parts = setting.split('+')
    changed = copy.deepcopy(model)
    if 'speed_up' in parts:
        changed = speed_up(changed)
    hook = AccelerationHook(channels_last='channels-last' in parts, bfloat16='bf16' in parts)
    hook.before_run(SimpleNamespace(model=changed))
    return changed


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


def alternate(sides: Sequence[Callable[[], object]], repeats: int, device: str) -> list[list[float]]:
    """Seconds of each side, taken in turns so that a busy moment of the machine hits all."""
    times: list[list[float]] = [[] for _ in sides]
    for turn in range(repeats + 1):
        for function, of_side in zip(sides, times, strict=True):
            seconds = timed(function, device)
            if turn > 0:  # the first one warms up
                of_side.append(seconds)
    return times


def timed(function: Callable[[], object], device: str = 'cpu') -> float:
    """Seconds of one call of what runs on a device."""
    _synchronise(device)
    begin = time.perf_counter()
    function()
    _synchronise(device)
    return time.perf_counter() - begin


def describe(device: str) -> str:
    """The device, in words."""
    if _is_gpu(device):
        return torch.cuda.get_device_name(device)
    return f'CPU, {torch.get_num_threads()} threads'


def _synchronise(device: str) -> None:
    if _is_gpu(device):
        torch.cuda.synchronize(device)


def _is_gpu(device: str) -> bool:
    return torch.device(device).type == 'cuda'
