"""What a training step of AG-RCNN costs beside one of Mask R-CNN, in seconds per image and in memory per exam.

Both hold the same weights and see the same exam of four views; runs alternate, medians are compared. The rows are the
settings of ``mmmammo.AccelerationHook``, each compared with Mask R-CNN under the same setting; the goal is that of the
first row. Memory is what an exam adds to the weights: the peak on a GPU, what is kept for the gradient on a CPU.

    python benchmarks/training_step.py                  # R50 at half size, some five minutes on two idle cores
    python benchmarks/training_step.py --model small --size 320 256
    python benchmarks/training_step.py --return-memory  # without what mmmammo.memory.keep_freed_memory does on a CPU
"""

from __future__ import annotations

import argparse
import copy
import statistics

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmammo.engine.hooks import AccelerationHook
from mmmammo.memory import keep_freed_memory
from mmmammo.testing.detector_timing import MODEL_FILES, alternate, build_pair, describe, memory_of, one_exam, trainer

SETTINGS = {
    'as it is': {'channels_last': False, 'bfloat16': False},
    'channels-last': {'channels_last': True, 'bfloat16': False},
    'bfloat16': {'channels_last': False, 'bfloat16': True},
    'channels-last, bfloat16': {'channels_last': True, 'bfloat16': True},
}
GOAL = 1.25
NUM_VIEWS = 4


def main() -> None:
    args = parse_args()
    if not args.return_memory:
        keep_freed_memory()  # as the tools do
    torch.manual_seed(0)
    pair, exam = build_pair(args.model, args.device), one_exam(args.size)
    table = Table(title=f'a training step at {args.size[0]} x {args.size[1]}, {args.model}, {describe(args.device)}')
    for column in ('setting', 'Mask R-CNN, s/image', 'AG-RCNN, s/image', 'ratio', 'goal', 'met', 'MB/exam', 'MB/exam'):
        table.add_column(column, justify='left' if column == 'setting' else 'right')
    for name, setting in track(SETTINGS.items(), description='measuring', transient=True):
        table.add_row(name, *measure(pair, exam, setting, args.repeats, with_goal=name == next(iter(SETTINGS))))
    console = Console()
    Console(width=max(console.width, 120)).print(table)
    console.print('MB/exam: Mask R-CNN, then AG-RCNN', highlight=False)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', choices=sorted(MODEL_FILES), default='r50')
    parser.add_argument('--size', type=int, nargs=2, default=(512, 416), metavar=('H', 'W'), help='pixels of each view')
    parser.add_argument('--repeats', type=int, default=3, help='timed runs of each side, after one to warm up')
    parser.add_argument('--device', default='cpu', help="'cpu' or 'cuda'")
    parser.add_argument(
        '--return-memory',
        action='store_true',
        help='give freed memory back to the system, as the C library does by itself; run both to compare',
    )
    return parser.parse_args()


class _Run:
    """What the hook asks of a runner."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model


def measure(
    pair: tuple[torch.nn.Module, torch.nn.Module],
    exam: dict[str, list],
    setting: dict[str, bool],
    repeats: int,
    with_goal: bool,
) -> list[str]:
    """The cells of one row."""
    models = [copy.deepcopy(model) for model in pair]
    for model in models:
        AccelerationHook(**setting).before_run(_Run(model))
    steps = [trainer(model, exam) for model in models]
    plain, multi = (statistics.median(times) / NUM_VIEWS for times in alternate(steps, repeats))
    ratio = multi / plain
    verdict = [f'<= {GOAL:g}', 'yes' if ratio <= GOAL else 'NO'] if with_goal else ['', '']
    memory = [f'{memory_of(step) / 1e6:.0f}' for step in steps]
    return [f'{plain:.3f}', f'{multi:.3f}', f'{ratio:.2f}', *verdict, *memory]


if __name__ == '__main__':
    main()
