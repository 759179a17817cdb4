"""What the saliency of the Attention model costs: time per image and memory of one forward and one backward pass.

The rows are the Holistic network alone, the same with the gradient of its risk with respect to the pixels, for a whole
batch at once and image by image, and the network followed by a second one on a window, which is what a prediction of
the Attention model does. Memory is the most that torch allocates at any moment of a batch, besides the weights.

    python benchmarks/saliency.py                      # ResNet-101 at 976 x 976, some minutes on two idle cores
    python benchmarks/saliency.py --size 256 --batch 2 --repeats 2
    python benchmarks/saliency.py --device cuda
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from mmmammo.memory import keep_freed_memory
from mmmammo.models.attention import centres_of_attention, input_gradients
from mmmammo.registry import MODELS
from mmmammo.testing.benchmark_options import usable_device, whole_number
from mmmammo.testing.detector_timing import describe, timed
from mmmammo.testing.step_memory import peak_memory

CONFIG = 'configs/holistic_cohort.py'


def main() -> None:
    args = parse_args()
    keep_freed_memory()  # as the tools do
    torch.manual_seed(0)
    network = build(args.device)
    images = torch.rand(args.batch, 1, args.size, args.size, device=args.device)
    steps = steps_of(network, images)
    table = Table(title=f'{args.batch} images of {args.size} x {args.size}, {describe(args.device)}, seconds per image')
    for column in ('what', 's/image', 'ratio', 'MB/batch'):
        table.add_column(column, justify='left' if column == 'what' else 'right')
    first = None
    for what, step in track(steps.items(), description='measuring', transient=True):
        seconds, memory = measure(step, args.repeats, args.device)
        first = first or seconds
        table.add_row(what, f'{seconds / args.batch:.3f}', f'{seconds / first:.2f}', f'{memory / 1e6:.0f}')
    Console().print(table)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=whole_number, default=976, help='pixels of either side')
    parser.add_argument('--batch', type=whole_number, default=4, help='images per pass')
    parser.add_argument('--repeats', type=whole_number, default=3, help='timed runs, after one to warm up')
    parser.add_argument('--device', type=usable_device, default='cpu', help="'cpu' or 'cuda'")
    return parser.parse_args()


def build(device: str) -> nn.Module:
    """The Holistic network with random weights, in evaluation mode."""
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    return MODELS.build(cfg.model).to(device).eval().requires_grad_(requires_grad=False)


def steps_of(network: nn.Module, images: Tensor) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""

    def logits(pixels: Tensor) -> Tensor:
        return network(pixels, mode='tensor')

    def plain() -> Tensor:
        with torch.no_grad():
            return logits(images)

    def attend() -> Tensor:
        return centres_of_attention(input_gradients(logits, images).gradients)

    def attend_and_judge() -> Tensor:
        attend()
        return plain()

    return {
        'forward (Holistic)': plain,
        'forward and backward, centres': attend,
        'the same image by image': lambda: [input_gradients(logits, image[None]) for image in images],
        'centres and window (Attention)': attend_and_judge,
    }


def measure(step: Callable[[], object], repeats: int, device: str) -> tuple[float, int]:
    """Median seconds, and bytes that a step adds at its peak."""
    step()
    times = [timed(step, device) for _ in range(repeats)]
    return statistics.median(times), peak_memory(step, device)


if __name__ == '__main__':
    main()
