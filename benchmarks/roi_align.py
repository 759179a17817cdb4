"""RoIAlign on CPU: the compiled operator of this package against mmcv's, forward and with the gradient.

Regions as a training step of a small Mask R-CNN has them: 128 in each of four images, 5 to 45 pixels wide, read off
one feature level of stride 4 into 7 x 7 bins. Both sides alternate; the ratio is that of their medians.
``difference`` is the largest of results and gradients, which are about 1.

    python benchmarks/roi_align.py [--channels 64] [--regions 512] [--repeats 20]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from mmcv.ops.roi_align import roi_align as stock_roi_align
from rich.console import Console
from rich.table import Table
from torch import Tensor

from mmmammo.ops import roi_align
from mmmammo.ops.library import BUILD, why_not_loaded
from mmmammo.structures import MammoError
from mmmammo.testing.benchmark_options import whole_number
from mmmammo.testing.detector_timing import alternate, describe

IMAGES, HEIGHT, WIDTH, STRIDE, BINS = 4, 80, 52, 4, 7
Pool = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    args = parse_args()
    if why_not_loaded():
        raise MammoError('operators', field='library', found=why_not_loaded(), expected='compiled', remedy=BUILD)
    features, regions = draw(args.channels, args.regions)
    table = Table(title=f'{args.regions} regions, {args.channels} channels, {describe("cpu")}')
    for column in ('what', 'mmcv, ms', 'ours, ms', 'times as fast', 'difference'):
        table.add_column(column, justify='left' if column == 'what' else 'right')
    for what, run in (('forward', forward), ('forward and gradient', with_gradient)):
        sides = [lambda run=run, pool=pool: run(pool, features, regions) for pool in (stock, ours)]
        difference = max(float((a - b).abs().max()) for a, b in zip(sides[0](), sides[1](), strict=True))
        theirs, mine = (1000 * statistics.median(times) for times in alternate(sides, args.repeats, 'cpu'))
        table.add_row(what, f'{theirs:.2f}', f'{mine:.2f}', f'{theirs / mine:.1f}', f'{difference:.1e}')
    Console().print(table)


def draw(channels: int, count: int) -> tuple[Tensor, Tensor]:
    """Features, and regions within the images."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(IMAGES, channels, HEIGHT, WIDTH, generator=generator)
    corners = torch.rand(count, 2, generator=generator) * STRIDE * torch.tensor([WIDTH - 12, HEIGHT - 12])
    sides = 5 + 40 * torch.rand(count, 2, generator=generator)
    images = torch.arange(count)[:, None] % IMAGES
    return features, torch.cat([images, corners, corners + sides], 1)


def stock(features: Tensor, regions: Tensor) -> Tensor:
    return stock_roi_align(features, regions, (BINS, BINS), 1 / STRIDE, 0, 'avg', True)


def ours(features: Tensor, regions: Tensor) -> Tensor:
    return roi_align(features, regions, (BINS, BINS), 1 / STRIDE, 0, True)


def forward(pool: Pool, features: Tensor, regions: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return [pool(features, regions)]


def with_gradient(pool: Pool, features: Tensor, regions: Tensor) -> list[Tensor]:
    learned = features.clone().requires_grad_()
    out = pool(learned, regions)
    weights = torch.linspace(-1, 1, out.numel()).view(out.shape)
    return [out.detach(), *torch.autograd.grad(out, learned, weights)]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--channels', type=whole_number, default=64, help='of the features')
    parser.add_argument('--regions', type=whole_number, default=512, help='of all images together')
    parser.add_argument('--repeats', type=whole_number, default=20, help='timed runs of each side')
    return parser.parse_args()


if __name__ == '__main__':
    main()
