"""What a training step of AG-RCNN costs beside one of Mask R-CNN, in seconds per image and in memory per exam.

Both hold the same weights, have the operators that ``tools/train.py`` puts in, and see the same exams of four views;
the two sides of a row run in turns, and medians are compared. A row is a setting of ``mmmammo.AccelerationHook`` and a
number of exams in the batch, the same on both sides; the goal (DESIGN.md 7) is that of the setting as-is. What a
setting gains is seen by comparing rows.

Memory per exam is that of a batch divided by its exams. On a GPU it is the peak of what torch allocates besides weights
and gradients. On a CPU it is what autograd keeps for the gradient, weights not counted: less than the peak, to which
what is at work for a moment belongs too, so that the two devices are not to be compared. The copies of weights that
bf16 makes in every step count; they are there once per batch, and outweigh what it saves where images are tiny.

    python benchmarks/training_step.py                  # R50 at half size, some five minutes on two idle cores
    python benchmarks/training_step.py --model small --size 320 256 --exams 1 2
    python benchmarks/training_step.py --return-memory  # without what mmmammo.memory.keep_freed_memory does on a CPU
    python benchmarks/training_step.py --device cuda --size 1024 832 --exams 1 4 --settings as-is channels-last+bf16
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmammo.engine.fast_layers import fuse_operators
from mmmammo.memory import keep_freed_memory
from mmmammo.testing.benchmark_options import add_detector_options
from mmmammo.testing.detector_timing import alternate, build_pair, describe, noise_exams, trainer, with_setting
from mmmammo.testing.exam_samples import FOUR_VIEWS
from mmmammo.testing.step_memory import memory_of

SETTINGS = ('as-is', 'channels-last', 'bf16', 'channels-last+bf16')
COLUMNS = (
    *('setting', 'exams', 'Mask R-CNN, s/image', 'AG-RCNN, s/image', 'ratio', 'goal', 'met'),
    *('Mask R-CNN, MB/exam', 'AG-RCNN, MB/exam'),
)
GOAL = 1.25
NOTES = {
    'cpu': 'MB/exam: what autograd keeps for the gradient, of weights only copies in bfloat16; the peak is higher.',
    'cuda': 'MB/exam: the peak of what torch allocates, besides weights and gradients.',
}


def main() -> None:
    args = parse_args()
    if not args.return_memory:
        keep_freed_memory()  # as the tools do
    torch.manual_seed(0)
    pair = [fuse_operators(model) for model in build_pair(args.model, args.device)]  # as tools/train.py does
    table = Table(title=f'a training step at {args.size[0]} x {args.size[1]}, {args.model}, {describe(args.device)}')
    for column in COLUMNS:
        table.add_column(column, justify='left' if column == 'setting' else 'right', no_wrap=True)
    rows = [(exams, setting) for exams in args.exams for setting in args.settings]
    for exams, setting in track(rows, description='measuring', transient=True):
        batch = noise_exams(args.size, exams)
        table.add_row(setting, str(exams), *measure(pair, batch, setting, args.repeats, args.device))
    console = Console(width=max(Console().width, 142))
    console.print(table)
    console.print(NOTES[torch.device(args.device).type], highlight=False)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_detector_options(parser, size=(512, 416), settings=SETTINGS, default=SETTINGS)
    parser.add_argument(
        '--return-memory',
        action='store_true',
        help='give freed memory back to the system, as the C library does by itself; run both to compare',
    )
    return parser.parse_args(argv)


def measure(
    pair: tuple[torch.nn.Module, torch.nn.Module], batch: dict[str, list], setting: str, repeats: int, device: str
) -> list[str]:
    """The cells of one row behind its name."""
    models = [with_setting(model, setting) for model in pair]
    steps = [trainer(model, batch) for model in models]
    images = len(batch['inputs'])
    plain, multi = (statistics.median(times) / images for times in alternate(steps, repeats, device))
    ratio = multi / plain
    verdict = [f'<= {GOAL:g}', 'yes' if ratio <= GOAL else 'NO'] if setting == 'as-is' else ['', '']
    exams = images / len(FOUR_VIEWS)
    memory = [f'{memory_of(step, model) / exams / 1e6:.1f}' for step, model in zip(steps, models, strict=True)]
    return [f'{plain:.3f}', f'{multi:.3f}', f'{ratio:.2f}', *verdict, *memory]


if __name__ == '__main__':
    main()
