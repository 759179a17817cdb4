"""What contour, nipple and pectoral line of a view cost, on one core.

The four views of an exam of the phantom, at 3328 x 2560 and not cut to the breast, from the pixels as they are
displayed to the landmarks: the averaging down and the search for the breast are in the time. ``paper`` is the recipe of
the third paper, for comparison. Wall-clock seconds of one thread, medians; a goal in milliseconds is one of the
machine, too.

    python benchmarks/landmarks.py                                        # under a minute
    python benchmarks/landmarks.py --image ../shared/data/exam_0/0_R-CC.png --side R --view CC
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mmmammo.anatomy import detect_landmarks
from mmmammo.io import read_mammogram
from mmmammo.phantom import PhantomConfig, make_exam

GOAL_MS = 60.0
METHODS = ('robust', 'paper')


class Shown(NamedTuple):
    """A view as it is displayed."""

    name: str
    pixels: np.ndarray
    side: str
    view: str


def shown_views(args: argparse.Namespace) -> Iterator[Shown]:
    """The file that was named, or the four views of an exam."""
    if args.image is not None:
        yield Shown(args.image.stem, read_mammogram(args.image).pixels, args.side, args.view)
        return
    for view in make_exam(PhantomConfig(height=args.height), seed=0, index=2).views:
        yield Shown(view.name, view.image, *view.name.split('_'))


def milliseconds(shown: Shown, method: str, repeats: int) -> float:
    """Median time of a call, after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        detect_landmarks(shown.pixels, shown.side, shown.view, method)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:])


def main() -> None:
    """Make the views, measure, print."""
    args = parse_args()
    cv2.setNumThreads(1)
    table = Table('view', 'size', *(f'{method}, ms' for method in METHODS), 'goal, ms', 'met', title='landmarks')
    for shown in shown_views(args):
        ours, papers = (milliseconds(shown, method, args.repeats) for method in METHODS)
        size = '{} x {}'.format(*shown.pixels.shape)
        met = 'yes' if ours <= GOAL_MS else 'NO'
        table.add_row(shown.name, size, f'{ours:.1f}', f'{papers:.1f}', f'at most {GOAL_MS:.0f}', met)
    Console().print(table)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--height', type=int, default=3328, help='of the views of the phantom')
    parser.add_argument('--image', type=Path, help='a mammogram instead of the phantom (DICOM or PNG)')
    parser.add_argument('--side', choices=('L', 'R'), default='L', help='of --image')
    parser.add_argument('--view', default='CC', help='of --image, such as MLO')
    parser.add_argument('--repeats', type=int, default=15, help='timed calls of each')
    return parser.parse_args()


if __name__ == '__main__':
    main()
