"""What a heatmap of a whole view costs: windows one by one, features shared, and how well the two agree.

    python benchmarks/sliding_window.py                      # a phantom view of 3328 x 2560; some minutes
    python benchmarks/sliding_window.py --backbones mobilenetv2 vgg19 --modes exact context --bf16
    python benchmarks/sliding_window.py --image ../shared/data/exam_0/0_R-CC.png --full

The reference is batched evaluation of every window, with the meaning of MONAI's sliding-window inferer: windows of the
padded image in reading order, some at a time through the untouched network, their scores added to what they cover
and divided by how often it was covered. All windows take minutes, so the reference and mode ``exact`` are timed on
evenly drawn samples of theirs and scaled to their numbers (``--full`` runs them all). Modes run a model after
``speed_up``; the look for the breast is in their time. Runs alternate, medians are compared.

Agreement is that of a sample of windows with each of them by itself through the untouched network, in log-odds and
probabilities. Weights are random with batch norms fitted to the view, unless ``--checkpoint`` brings some: it tells
little about trained ones. ``context`` scores another definition, the window with its surroundings, and is compared with
evaluating that window by window.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpretrain.models.classifiers import ImageClassifier
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from mmmammo.engine.checkpoint import load_checkpoint
from mmmammo.engine.inference import speed_up
from mmmammo.io import read_mammogram
from mmmammo.memory import keep_freed_memory
from mmmammo.models.sliding import Agreement, PatchSlider, SlidingSettings, WindowGrid
from mmmammo.models.sliding.agreement import spread
from mmmammo.models.sliding.window_scores import classify, pad_image, score_windows
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.preprocessing import clahe_fuse, segment_breast
from mmmammo.registry import MODELS
from mmmammo.testing.detector_timing import describe, timed

BACKBONES = {
    'efficientnetv2_s': ({'type': 'mmpretrain.EfficientNetV2', 'arch': 's'}, 1280),
    'resnet50': ({'type': 'mmpretrain.ResNet', 'depth': 50}, 2048),
    'mobilenetv2': ({'type': 'mmpretrain.MobileNetV2'}, 1280),
    'densenet121': ({'type': 'mmpretrain.DenseNet', 'arch': '121'}, 1024),
    'vgg19': ({'type': 'mmpretrain.VGG', 'depth': 19, 'norm_cfg': {'type': 'BN'}}, 512),
    'swin_t': ({'type': 'mmpretrain.SwinTransformer', 'arch': 'tiny'}, 768),
}
CONTEXT = {'resnet50': 224, 'vgg19': 128, 'mobilenetv2': 256}
"""Pixels; backbones for which mode context is exact."""
GOALS = {'exact': 2.5, 'context': 50.0, 'dense': 50.0}
COLUMNS = (
    *('backbone', 'mode', 'seconds', 'every window, s', 'faster', 'goal', 'met'),
    *('windows', 'log-odds r', 'mean |dp|', 'max |dp|'),
)
PHANTOM = {'seed': 0, 'index': 2}
"""A woman whose left CC breast covers a quarter of the detector, with a finding."""


class Row(NamedTuple):
    """One way of making the heatmap."""

    mode: str
    bfloat16: bool

    @property
    def name(self) -> str:
        """As in the table."""
        return self.mode + (', bf16' if self.bfloat16 else '')


class View(NamedTuple):
    """One view as a classifier gets it."""

    grey: np.ndarray
    image: Tensor
    black: Tensor


def main() -> None:
    args = parse_args()
    keep_freed_memory()  # as the tools do
    MMLogger.get_instance('mmengine', log_level='ERROR')
    init_default_scope('mmdet')
    view = load_view(args.image, args.size)
    grid = WindowGrid((view.image.shape[1], view.image.shape[2]), args.window, args.stride)
    breast = segment_breast(view.grey)
    wanted = grid.windows_on(grid.cells_of(breast))
    rows = [Row(mode, half) for half in ((False, True) if args.bf16 else (False,)) for mode in args.modes]
    title = f'heatmap of {view.image.shape[1]} x {view.image.shape[2]}, window {args.window}, stride {args.stride}, '
    table = Table(title=title + describe('cpu'))
    for column in COLUMNS:
        table.add_column(column, justify='left' if column in COLUMNS[:2] else 'right', no_wrap=True)
    for name in args.backbones:
        for cells in measure(name, view, grid, wanted, rows, args):
            table.add_row(name, *cells)
        table.add_section()
    said = 'all run' if args.full else f'timed on {args.sample}, scaled'
    table.caption = f'{wanted.size} windows ({said}), {wanted.sum()} hold breast; breast covers {breast.mean():.0%}'
    Console(width=max(Console().width, 140)).print(table)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--backbones', nargs='+', choices=list(BACKBONES), default=['efficientnetv2_s', 'resnet50'])
    parser.add_argument('--modes', nargs='+', choices=list(GOALS), default=list(GOALS))
    parser.add_argument('--image', type=Path, help='a mammogram instead of the phantom (DICOM or PNG)')
    parser.add_argument('--size', type=int, nargs=2, default=(3328, 2560), metavar=('H', 'W'), help='of the view')
    parser.add_argument('--window', type=int, default=256)
    parser.add_argument('--stride', type=int, default=32)
    parser.add_argument('--sample', type=int, default=64, help='windows on which the reference is timed')
    parser.add_argument('--full', action='store_true', help='time the reference on all windows: minutes')
    parser.add_argument('--batch-size', type=int, default=16, help='windows at a time, on both sides')
    parser.add_argument('--bf16', action='store_true', help='measure each mode in bfloat16 too')
    parser.add_argument('--repeats', type=int, default=2, help='timed runs, after one to warm up')
    parser.add_argument(
        '--checkpoint', type=Path, help='weights of a classifier with the one backbone that --backbones names'
    )
    return parser.parse_args()


def load_view(path: Path | None, size: tuple[int, int]) -> View:
    """A view as three equalised channels, brought to a size by padding or cropping."""
    grey = phantom_view(size[0]) if path is None else read_mammogram(path).pixels
    canvas = np.zeros(size, dtype=np.float32)
    rows, columns = (min(a, b) for a, b in zip(size, grey.shape, strict=True))
    canvas[:rows, :columns] = grey[:rows, :columns]
    image = torch.from_numpy(clahe_fuse(canvas)).permute(2, 0, 1).contiguous()
    return View(canvas, (image - 0.5) / 0.5, torch.full((3,), -1.0))


def phantom_view(height: int) -> np.ndarray:
    """A left CC view as displayed, rendered at half the size and enlarged: textures do not change the time."""
    exam = make_exam(PhantomConfig(height=min(height, 3328) // 2, prevalence=1.0), **PHANTOM)
    image = next(view for view in exam.views if view.name == 'L_CC').image
    return cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)


def build(name: str, checkpoint: Path | None) -> ImageClassifier:
    """A classifier with random weights, or those of a checkpoint."""
    torch.manual_seed(0)
    backbone, channels = BACKBONES[name]
    head = {'type': 'mmmammo.PatchHead', 'in_channels': channels}
    preprocessor = {'type': 'mmpretrain.ClsDataPreprocessor'}
    config = {'type': 'mmpretrain.ImageClassifier', 'backbone': dict(backbone), 'head': head}
    model = MODELS.build(config | {'data_preprocessor': preprocessor})
    if checkpoint is not None:
        model.load_state_dict(load_checkpoint(checkpoint)['state_dict'])
    model.eval()
    return model


class EveryWindow:
    """MONAI's meaning, written out: batches of windows, scores added where they lie, divided by how often.

    What is done once per view is apart from what is done per window, so that the latter can be scaled.
    """

    def __init__(self, model: ImageClassifier, view: View, grid: WindowGrid, batch_size: int) -> None:
        self.model, self.window, self.batch_size = model, grid.window, batch_size
        self.corners = grid.stride * np.argwhere(np.ones(grid.counts, dtype=bool))
        self.padded = pad_image(view.image, grid, 0, view.black)
        self.total, self.count = torch.zeros(10, *grid.padded), torch.zeros(grid.padded)

    @torch.no_grad()
    def add(self, chosen: np.ndarray) -> None:
        """Score the chosen windows (rows, columns) and add them up."""
        corners = self.corners[chosen.ravel()].tolist()
        for first in range(0, len(corners), self.batch_size):
            some = corners[first : first + self.batch_size]
            places = [np.s_[..., y : y + self.window, x : x + self.window] for y, x in some]
            batch = torch.stack([self.padded[place] for place in places])
            scores = torch.sigmoid(self.model.head(self.model.extract_feat(batch)))
            for place, score in zip(places, scores, strict=True):
                self.total[place] += score[:, None, None]
                self.count[place] += 1

    def heatmap(self) -> Tensor:
        """(classes, H, W)."""
        return self.total / self.count.clamp_min(1)


def measure(
    name: str, view: View, grid: WindowGrid, wanted: np.ndarray, rows: list[Row], args: argparse.Namespace
) -> list[list[str]]:
    """Cells of the table, a list per row; what a backbone cannot do is left out."""
    stock = build(name, args.checkpoint)
    if args.checkpoint is None:
        fit_batch_norms(stock, view, spread(wanted, 16), grid)
    literal = EveryWindow(stock, view, grid, args.batch_size)
    sliders = {row: slider_of(row, name, stock, args) for row in rows if row.mode != 'context' or name in CONTEXT}
    sides = [scaled(literal.add, np.ones_like(wanted), args, timed(literal.heatmap))]
    sides += [runner_of(slider, view, grid, wanted, args) for slider in sliders.values()]
    times: list[list[float]] = [[] for _ in sides]
    for _ in track(range(args.repeats + 1), description=name, transient=True):
        for seconds_of, of_side in zip(sides, times, strict=True):
            of_side.append(seconds_of())
    reference, *seconds = (statistics.median(of_side[1:]) for of_side in times)  # the first one warms up
    return [
        describe_row(row, taken, reference, agreement(slider, stock, view, wanted))
        for (row, slider), taken in zip(sliders.items(), seconds, strict=True)
    ]


def scaled(
    run: Callable[[np.ndarray], object], wanted: np.ndarray, args: argparse.Namespace, once: float
) -> Callable[[], float]:
    """Seconds that all the wanted windows take: those of a sample, scaled to their number, and what is done once."""
    some = wanted if args.full else spread(wanted, args.sample)
    return lambda: timed(lambda: run(some)) * wanted.sum() / some.sum() + once


def runner_of(
    slider: PatchSlider, view: View, grid: WindowGrid, wanted: np.ndarray, args: argparse.Namespace
) -> Callable[[], float]:
    """Seconds of a heatmap, from the look for the breast on."""
    if slider.settings.mode != 'exact':
        return lambda: timed(lambda: slider(view.image, view.black, segment_breast(view.grey)))
    padded = pad_image(view.image, grid, 0, view.black)
    score = torch.no_grad()(partial(classify, slider.model, bfloat16=slider.settings.bfloat16))
    once = timed(lambda: segment_breast(view.grey)) + timed(lambda: pad_image(view.image, grid, 0, view.black))
    once += timed(lambda: grid.heatmap(np.zeros((10, *grid.counts), dtype=np.float32)))
    return scaled(lambda some: score_windows(score, padded, grid, some, 0, args.batch_size), wanted, args, once)


@torch.no_grad()
def fit_batch_norms(model: ImageClassifier, view: View, some: np.ndarray, grid: WindowGrid) -> None:
    """Give random weights statistics under which features neither die nor explode."""
    corners = (np.argwhere(some) * grid.stride).tolist()
    windows = [view.image[:, y : y + grid.window, x : x + grid.window] for y, x in corners]
    batch = torch.stack([w for w in windows if w.shape[1:] == (grid.window, grid.window)])
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean over batches
        norm.train()
    model.extract_feat(batch)
    model.eval()


def slider_of(row: Row, name: str, stock: ImageClassifier, args: argparse.Namespace) -> PatchSlider:
    """A slider on a faster copy of the model."""
    context = CONTEXT[name] if row.mode == 'context' else 0
    model = copy.deepcopy(stock)
    model.head.cells = args.window // 32 if context else None
    settings = SlidingSettings(
        mode=row.mode,
        window=args.window,
        stride=args.stride,
        context=context,
        batch_size=args.batch_size,
        bfloat16=row.bfloat16,
        check=0,
    )
    return PatchSlider(speed_up(model), settings)


def agreement(slider: PatchSlider, stock: ImageClassifier, view: View, wanted: np.ndarray) -> Agreement:
    """With windows one by one through the untouched network, in mode context with their surroundings."""
    settings = slider.settings
    some = spread(wanted, 6 if settings.context else 48)
    model = copy.deepcopy(stock)
    model.head.cells = slider.model.head.cells
    literal = SlidingSettings('exact', settings.window, settings.stride, settings.context, batch_size=2)
    scores = slider.window_scores(view.image, view.black, some if settings.mode == 'exact' else wanted)
    return Agreement.of(
        scores[:, some], PatchSlider(model, literal).window_scores(view.image, view.black, some)[:, some]
    )


def describe_row(row: Row, seconds: float, reference: float, agreed: Agreement) -> list[str]:
    ratio = reference / seconds
    goal = GOALS[row.mode]
    found = (f'{agreed.correlation:.4f}', f'{agreed.mean_difference:.1e}', f'{agreed.greatest_difference:.1e}')
    times = (f'{seconds:.2f}', f'{reference:.0f}', f'{ratio:.1f}x')
    return [row.name, *times, f'>= {goal:g}x', 'yes' if ratio >= goal else 'NO', str(agreed.windows), *found]


if __name__ == '__main__':
    main()
