#!/usr/bin/env python
"""Average the scores of several models, image by image, and measure the mean like a test.

Examples:
    python tools/average_scores.py work_dirs/holistic work_dirs/attention --out work_dirs/ensemble --scale log_odds
    python tools/evaluate.py scores --table work_dirs/ensemble/scores.csv --level exam --out eval

A model is a folder with scores.csv and metrics.json, as tools/test.py and tools/crossval.py leave them, all of the same
images. OUT gets the same two files: the metrics of the first model, read off the means.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from mmmammo import __version__, cli
from mmmammo.crossval import METRICS, SCORES, gather_average
from mmmammo.crossval.tables import SCALES
from mmmammo.provenance import git_commit
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='at least two folders')
    parser.add_argument('--out', type=Path, required=True, help='where results go')
    parser.add_argument('--scale', choices=SCALES, default=SCALES[0], help=f'what is averaged (default {SCALES[0]})')
    return parser.parse_args()


def require_runs(args: argparse.Namespace) -> None:
    """Refuse what cannot be averaged.

    Raises:
        MammoError: If there is one folder only, OUT is among them, or a folder lacks a file.
    """
    folders = {folder.resolve() for folder in args.runs}
    missing = [folder / name for folder in args.runs for name in (SCORES, METRICS) if not (folder / name).is_file()]
    for found, expected in (
        (f'{len(folders)} folder', 'two or more' if len(folders) < 2 else None),
        (f'--out {args.out}', 'a folder other than those of the models' if args.out.resolve() in folders else None),
        (f'no {missing[0]}' if missing else '', 'scores.csv and metrics.json of a test' if missing else None),
    ):
        if expected:
            remedy = 'give folders that tools/test.py or tools/crossval.py wrote'
            raise MammoError('average', field='runs', found=found, expected=expected, remedy=remedy)


def main() -> int:
    args = parse_args()
    console = Console()
    require_runs(args)
    args.out.mkdir(parents=True, exist_ok=True)
    run = {
        'mean of': [str(folder) for folder in args.runs],
        'scale': args.scale,
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }
    gather_average(args.runs, args.out, run, args.scale)
    for name in (SCORES, METRICS):
        console.print(args.out / name, highlight=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    cli.run(main)
