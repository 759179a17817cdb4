"""The modes of a sliding patch classifier side by side on views of its test set: how they agree, and what they take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from mmmammo.apis.run_results import images_root, tested_set
from mmmammo.apis.runs import for_testing, load_config, require_data
from mmmammo.datasets.transforms import CLAHEFuse
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of, use_safe_loading
from mmmammo.engine.inference import speed_up
from mmmammo.io import read_png16
from mmmammo.io.exam_index import read_index
from mmmammo.models.sliding import Agreement, PatchSlider, SlidingPatchDetector, SlidingSettings, WindowGrid
from mmmammo.preprocessing import segment_breast
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

STRIDE = 32
"""Pixels from window to window: one cell of the backbones, which the quicker modes step by."""


@dataclass(frozen=True)
class ModeOnViews:
    """What one mode did.

    Args:
        mode: ``'exact'``, ``'context'`` or ``'dense'``.
        context: Pixels of context around a window.
        views: How many.
        seconds: Of a view, the median.
        agreement: Of all windows of the breast in all views, with each of them by itself; ``None`` of ``exact``.
    """

    mode: str
    context: int
    views: int
    seconds: float
    agreement: Agreement | None


class _View(NamedTuple):
    """(3, h, w) normalised, and which windows hold breast."""

    image: Tensor
    wanted: npt.NDArray[np.bool_]


def compare_modes(
    config: str | Path, checkpoint: str | Path, views: int = 8, device: str | torch.device = 'cpu'
) -> list[ModeOnViews]:
    """Every window of the breast one by one, and from one pass over the view.

    The second is mode ``context`` for a classifier that was trained with context, else ``dense``.

    Args:
        config: Of a patch classifier, as in configs/patch.
        checkpoint: Its weights.
        views: Of its test set, evenly drawn.
        device: Where the network runs.

    Raises:
        MammoError: If a file is missing, the config is no patch classifier's, or the network cannot be run in the
            quicker mode; see :class:`~mmmammo.models.sliding.PatchSlider`.
    """
    cfg = for_testing(load_config(config))
    _require_patches(cfg, views)
    require_data(cfg, ('test',))
    model = _detector(cfg, checkpoint).to(device)
    modes = ('exact', 'context' if cfg.context else 'dense')
    settings = {'window': cfg.window, 'stride': STRIDE, 'context': cfg.context, 'check': 0}
    sliders = [PatchSlider(model, SlidingSettings(mode=mode, **settings)) for mode in modes]
    drawn = [_view(path, cfg, model) for path in _paths(cfg, views)]
    runs = [_run(slider, drawn, model.black(3)) for slider in sliders]
    exact = runs[0][0]
    return [
        ModeOnViews(mode, cfg.context, len(drawn), seconds, None if mode == 'exact' else Agreement.of(scores, exact))
        for mode, (scores, seconds) in zip(modes, runs, strict=True)
    ]


def _require_patches(cfg: Config, views: int) -> None:
    absent = [name for name in ('window', 'context', 'fusion') if name not in cfg]
    if absent or views < 1:
        raise MammoError(
            cfg.filename,
            field=', '.join(absent) or 'views',
            found='nothing' if absent else views,
            expected='a config of a patch classifier, and at least one view',
            remedy='give a config such as configs/patch/patch_resnet50_phantom.py',
        )


def _detector(cfg: Config, checkpoint: str | Path) -> SlidingPatchDetector:
    """The classifier with what sliding needs."""
    init_default_scope(cfg.default_scope)
    use_safe_loading()
    model: SlidingPatchDetector = MODELS.build({**cfg.model, 'type': 'mmmammo.SlidingPatchDetector'})
    require_checkpoint_of(model, checkpoint)
    weights = load_checkpoint(checkpoint)
    model.load_state_dict(weights.get('state_dict', weights))
    speed_up(model)
    return model


def _paths(cfg: Config, views: int) -> list[Path]:
    """Of images of the test set, evenly drawn."""
    dataset = tested_set(cfg)
    names = [image.file_name for image in read_index(Path(dataset.data_root, dataset.ann_file)).images]
    chosen = np.unique(np.linspace(0, len(names) - 1, min(views, len(names))).round().astype(int))
    return [images_root(cfg) / names[i] for i in chosen.tolist()]


def _view(path: Path, cfg: Config, model: SlidingPatchDetector) -> _View:
    fused = CLAHEFuse(**cfg.fusion)({'img': read_png16(path)})['img']
    image = model.data_preprocessor({'inputs': [torch.from_numpy(fused).permute(2, 0, 1)]})['inputs'][0]
    grid = WindowGrid(fused.shape[:2], cfg.window, STRIDE)
    breast = segment_breast(fused[..., 0])
    return _View(image, grid.windows_on(grid.cells_of(breast if breast.any() else ~breast)))


def _run(slider: PatchSlider, views: Sequence[_View], black: Tensor) -> tuple[npt.NDArray[np.floating], float]:
    """(classes, windows) of all views, and the median of their seconds."""
    slider.window_scores(views[0].image, black, views[0].wanted)  # warms up, and measures the reach
    scores, seconds = [], []
    for view in views:
        started = time.perf_counter()
        found = slider.window_scores(view.image, black, view.wanted)
        seconds.append(time.perf_counter() - started)
        scores.append(found[:, view.wanted])
    return np.concatenate(scores, axis=1), statistics.median(seconds)
