"""DINO inference on CPU: a model after ``speed_up`` against stock mmdet with the same weights.

    python benchmarks/dino_cpu.py                                 # R50 with four levels, 512 and 1024 pixels: minutes
    python benchmarks/dino_cpu.py --sizes 512 --also bf16         # beside it under bfloat16, which is not exact
    python benchmarks/dino_cpu.py --config configs/….py           # any config of a DINO

Runs alternate and medians are compared, of seconds on the clock and of processor seconds, which a busy machine changes
less (there OMP_NUM_THREADS=1 is wise: threads that wait for each other tell nothing). Weights are random, moved off
their start so that attention and boxes depend on the image; images are noise with blobs.

Equality ("off", and with it "met") is that of scores and boxes (cxcywh in [0, 1]) of every query, given equal anchors:
both sides get those that stock selects. Where scores are equal but for rounding, and those of random weights nearly
are, their order is chance, and with it which learned query starts from which anchor. "same anchors" and "same answers"
tell what is left without that condition: the share of queries that start from the same anchor when each side selects
for itself, and of those whose score and box then agree, too; queries that attend to others differ with them.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from mmmammo.engine.inference import speed_up
from mmmammo.memory import keep_freed_memory
from mmmammo.models.layers import fuse_deformable_attention
from mmmammo.ops.library import BUILD, why_not_loaded

STOCK = 'mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py'
GOAL, TOLERANCE = 1.7, 1e-4
AT_REST = ('sampling_offsets.weight', 'attention_weights.weight', 'reg_branches.')
"""Weights that begin as zero; while they are, samples stay in place and boxes are their anchors."""

COLUMNS = (
    *('pixels', 'ours', 'seconds', 'stock', 'faster', 'CPU time', 'goal', 'met', 'peak GB', 'stock'),
    *('scores off', 'boxes off', 'same anchors', 'same answers'),
)
BESIDE = ('attention', 'bf16')
TITLES = {
    'speed_up': 'speed_up',
    'attention': 'fused attention alone',
    'bf16': 'speed_up, bfloat16',
}


class Answer(NamedTuple):
    """What a model says of every query."""

    scores: Tensor
    boxes: Tensor
    anchors: Tensor


class Cost(NamedTuple):
    """What one run takes."""

    seconds: float
    processor_seconds: float
    peak_gb: float


class Agreement(NamedTuple):
    """How near two models are.

    Args:
        scores: Largest difference with the anchors of one of them.
        boxes: Likewise.
        same_anchors: Share of queries that start from the same anchor when each selects for itself.
        same_answers: Share of queries whose score and box then agree.
    """

    scores: float
    boxes: float
    same_anchors: float
    same_answers: float


Predictor = Callable[[], object]


def main() -> None:
    args = parse_args()
    keep_freed_memory()  # as the tools do
    if why_not_loaded():
        raise SystemExit(f'the operators cannot be used: {why_not_loaded()}\n  remedy: {BUILD}')
    torch.manual_seed(0)
    stock = build_model(args.config)
    names = ('speed_up', *args.also)
    table = make_table(Path(args.config.split('::')[-1]).stem)
    for size in args.sizes:
        batch = one_image(size, stock)
        sides = {name: make_faster(name, stock) for name in names}
        reference = answer(stock, batch)
        for name, costs, theirs in measure(sides, stock, batch, args.repeats):
            with precision(name):
                ours = answer(sides[name], batch, reference.anchors)
                own = answer(sides[name], batch)
            table.add_row(str(size), *describe_row(name, costs, theirs, differences(ours, reference, own)))
        table.add_section()
    Console(width=max(Console().width, 180)).print(table)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default=STOCK, help=f'a config whose model is a DINO ({STOCK})')
    parser.add_argument('--sizes', type=int, nargs='+', default=(512, 1024), help='pixels along a side (512 1024)')
    parser.add_argument('--repeats', type=int, default=3, help='timed runs of each side, after one to warm up')
    parser.add_argument('--also', nargs='+', choices=BESIDE, default=(), help='options to measure beside it')
    return parser.parse_args()


def build_model(config: str) -> nn.Module:
    """The config's model with random weights, none left at zero."""
    MMLogger.get_instance('mmengine', log_level='WARNING')
    cfg = get_config(config) if '::' in config else Config.fromfile(config)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model_cfg = copy.deepcopy(cfg.model)
    model_cfg.backbone.init_cfg = None  # nothing is downloaded
    model = MODELS.build(model_cfg)
    model.init_weights()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(part in name for part in AT_REST) and not parameter.any():
                parameter.normal_(std=0.02)
    return model.eval()


def one_image(size: int, model: nn.Module) -> dict[str, list]:
    """Noise with bright blobs, as many channels as the model reads."""
    generator = torch.Generator().manual_seed(0)
    ticks = torch.arange(size) / size
    image = 0.2 * torch.rand(size, size, generator=generator)
    for x, y, radius in torch.rand(12, 3, generator=generator).tolist():
        image += 0.4 * torch.exp(-((ticks - x) ** 2 + (ticks[:, None] - y) ** 2) / (0.01 + 0.1 * radius) ** 2)
    channels = getattr(model.backbone, 'in_channels', 3)
    sample = DetDataSample(metainfo={'img_shape': (size, size), 'ori_shape': (size, size), 'scale_factor': (1.0, 1.0)})
    return {'inputs': [(255 * image.clamp(0, 1)).expand(channels, -1, -1)], 'data_samples': [sample]}


def make_faster(name: str, stock: nn.Module) -> nn.Module:
    """A copy of the stock model, changed as the row says."""
    model = copy.deepcopy(stock)
    if name == 'attention':
        return fuse_deformable_attention(model)
    return speed_up(model)


def precision(name: str) -> torch.autocast | nullcontext:
    """The numbers that a row computes with."""
    return torch.autocast('cpu', torch.bfloat16) if name == 'bf16' else nullcontext()


@torch.no_grad()
def answer(model: nn.Module, batch: dict[str, list], anchors: Tensor | None = None) -> Answer:
    """Scores and boxes of every query of the last layer, from the model's own anchors or from those given."""
    data = model.data_preprocessor(copy.deepcopy(batch))
    to_encoder, to_decoder = model.pre_transformer(model.extract_feat(data['inputs']), data['data_samples'])
    encoded = model.forward_encoder(**to_encoder)
    chosen, _ = model.pre_decoder(**encoded, batch_data_samples=data['data_samples'])
    if anchors is not None:
        chosen['reference_points'] = anchors
    logits, boxes = model.bbox_head(**model.forward_decoder(**{**to_decoder, **chosen}))
    return Answer(logits[-1].float().sigmoid(), boxes[-1].float(), chosen['reference_points'].float())


def differences(ours: Answer, theirs: Answer, own: Answer) -> Agreement:
    """Of ours with their anchors, and of ours with its own, to theirs."""
    return Agreement(
        (ours.scores - theirs.scores).abs().max().item(),
        (ours.boxes - theirs.boxes).abs().max().item(),
        share_alike(own.anchors, theirs.anchors),
        share_alike(torch.cat([own.scores, own.boxes], -1), torch.cat([theirs.scores, theirs.boxes], -1)),
    )


def share_alike(ours: Tensor, theirs: Tensor) -> float:
    """Of queries, none of whose numbers differ by more than the tolerance."""
    return ((ours - theirs).abs().amax(-1) <= TOLERANCE).float().mean().item()


def measure(
    sides: dict[str, nn.Module], stock: nn.Module, batch: dict[str, list], repeats: int
) -> list[tuple[str, list[Cost], list[Cost]]]:
    """Costs of each side and of stock, in turns so that a busy moment of the machine hits all."""
    runs = {'stock': stock, **sides}
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    size = tuple(batch['inputs'][0].shape[-2:])
    peaks = {name: peak_of(name, model, batch) for name, model in runs.items()}  # and warms up
    for _ in track(range(repeats), description=f'{size[0]} x {size[1]}', transient=True):
        for name, model in runs.items():
            costs[name].append(Cost(*cost_of(name, model, batch), peaks[name]))
    return [(name, costs[name], costs['stock']) for name in sides]


@torch.no_grad()
def cost_of(name: str, model: nn.Module, batch: dict[str, list]) -> tuple[float, float]:
    """Seconds of inference from images to detections: of the clock and of the processor."""
    data = copy.deepcopy(batch)
    clock, processor = time.perf_counter(), time.process_time()
    with precision(name):
        model.test_step(data)
    return time.perf_counter() - clock, time.process_time() - processor


def peak_of(name: str, model: nn.Module, batch: dict[str, list]) -> float:
    """Gigabytes that inference needs besides the model; freed memory is given back before it, not kept for it."""
    ctypes.CDLL(None).malloc_trim(0)
    before = reset_peak_memory()
    cost_of(name, model, batch)
    return (memory('VmHWM') - before) / 1e9


def reset_peak_memory() -> int:
    """Let the kernel count the peak anew; bytes that are in use now."""
    Path('/proc/self/clear_refs').write_text('5')
    return memory('VmRSS')


def memory(field: str) -> int:
    """Bytes, from what the kernel tells of this process."""
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def make_table(name: str) -> Table:
    busy = f', load {os.getloadavg()[0]:.0f}' if os.getloadavg()[0] > torch.get_num_threads() else ''
    table = Table(title=f'{name}, CPU, {torch.get_num_threads()} threads{busy}')
    for column in COLUMNS:
        table.add_column(column, justify='left' if column == 'ours' else 'right', no_wrap=True)
    return table


def describe_row(name: str, ours: Sequence[Cost], theirs: Sequence[Cost], off: Agreement) -> list[str]:
    mine, other = (Cost(*map(statistics.median, zip(*costs, strict=True))) for costs in (ours, theirs))
    spread = [f'{statistics.median(t):.2f} ({min(t):.2f}-{max(t):.2f})' for t in (seconds(ours), seconds(theirs))]
    ratio, processor_ratio = other.seconds / mine.seconds, other.processor_seconds / mine.processor_seconds
    goal = [f'>= {GOAL:g}', 'yes' if ratio >= GOAL and max(off.scores, off.boxes) <= TOLERANCE else 'NO']
    return [
        TITLES[name],
        *spread,
        f'{ratio:.2f}x',
        f'{processor_ratio:.2f}x',
        *(goal if name == 'speed_up' else ['', '']),
        f'{mine.peak_gb:.2f}',
        f'{other.peak_gb:.2f}',
        *(f'{value:.1e}' for value in (off.scores, off.boxes)),
        *(f'{value:.1%}' for value in (off.same_anchors, off.same_answers)),
    ]


def seconds(costs: Sequence[Cost]) -> list[float]:
    return [cost.seconds for cost in costs]


if __name__ == '__main__':
    main()
