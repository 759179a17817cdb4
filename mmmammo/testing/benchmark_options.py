"""Options that benchmarks of detectors share, checked where they are read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from mmmammo.testing.detector_timing import MODEL_FILES


def add_detector_options(
    parser: argparse.ArgumentParser, *, size: tuple[int, int], settings: Sequence[str], default: Sequence[str]
) -> None:
    """Add what is measured, and on what.

    Args:
        parser: Of a benchmark.
        size: (h, w) of a view by default.
        settings: What ``--settings`` may name.
        default: What it is if not given.
    """
    parser.add_argument('--model', choices=sorted(MODEL_FILES), default='r50')
    help_text = f'pixels of each view ({size[0]} {size[1]})'
    parser.add_argument('--size', type=whole_number, nargs=2, default=size, metavar=('H', 'W'), help=help_text)
    parser.add_argument(
        '--exams',
        type=whole_number,
        nargs='+',
        default=[1],
        metavar='N',
        help='exams of four views in a batch (1); with several numbers, as in 1 2 4, each gets its rows',
    )
    parser.add_argument(
        '--settings',
        nargs='+',
        choices=settings,
        default=list(default),
        help=f'layout and precision of the models, a row each ({" ".join(default)}); goals are those of as-is',
    )
    parser.add_argument(
        '--repeats', type=whole_number, default=3, help='timed runs of each side, after one to warm up (3)'
    )
    parser.add_argument('--device', type=usable_device, default='cpu', help="'cpu' or 'cuda' (cpu)")


def whole_number(text: str) -> int:
    """A number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a whole number from 1 on')
    return int(text)


def usable_device(text: str) -> str:
    """A CPU or a GPU that tensors can be put on."""
    try:
        kind = torch.device(text).type
        torch.empty(1, device=text)
    except (RuntimeError, AssertionError) as err:  # torch says it in both ways
        raise argparse.ArgumentTypeError(f'found {text}: {str(err).splitlines()[0]}; expected {_devices()}') from err
    if kind not in ('cpu', 'cuda'):
        raise argparse.ArgumentTypeError(f'found {text}, which is not measured here; expected {_devices()}')
    return text


def _devices() -> str:
    return 'cpu or cuda' if torch.cuda.is_available() else 'cpu (torch finds no GPU here)'
