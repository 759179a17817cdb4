#!/usr/bin/env python
"""Turn a download into a prepared set that every config reads.

Examples:
    python tools/prepare_dataset.py phantom --out data/phantom --num-exams 200 --phantom-height 1024 --height 512
    python tools/prepare_dataset.py folder --raw my_exams --out data/mine --height 1024 --workers 8

An interrupted run goes on where it was when the same command is given again. Files that cannot be used are listed with
their reasons in OUT/quality.csv.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mmmammo import cli
from mmmammo.phantom import PhantomConfig, write_dataset
from mmmammo.prepare import PrepareOptions, prepare_dataset
from mmmammo.prepare.options import LANDMARK_SOURCES, SIDE_POLICIES
from mmmammo.prepare.splits import SPLITS
from mmmammo.prepare.summary import Summary
from mmmammo.sources import SOURCES, get_source


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n', 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', choices=SOURCES, metavar='SOURCE', help=f'one of {", ".join(SOURCES)}')
    parser.add_argument('--raw', type=Path, help='the download (phantom: made if missing; default OUT/raw)')
    parser.add_argument('--out', type=Path, required=True, help='the prepared set')
    parser.add_argument('--height', type=int, help='scale images so that the source would be this high (default: keep)')
    parser.add_argument('--no-crop', action='store_true', help='keep the whole image instead of the breast')
    parser.add_argument('--landmarks', choices=LANDMARK_SOURCES, default='detected', help='default: detected')
    parser.add_argument('--side-policy', choices=SIDE_POLICIES, default='mend', help='when pixels contradict the side')
    parser.add_argument('--single-class', metavar='NAME', help='merge all findings into one class')
    parser.add_argument('--only', nargs='+', default=(), metavar='CATEGORY', help='keep findings of these categories')
    parser.add_argument(
        '--split-fractions', nargs=3, type=float, default=(0.7, 0.1, 0.2), metavar=('TRAIN', 'VAL', 'TEST')
    )
    parser.add_argument('--seed', type=int, default=0, help='of the split, and of the phantom')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: all cores)')
    phantom = parser.add_argument_group('phantom')
    phantom.add_argument('--num-exams', type=int, default=200, help='default 200')
    phantom.add_argument('--phantom-height', type=int, default=1024, help='of its DICOM images; default 1024')
    phantom.add_argument('--finding-mix', nargs='+', metavar='CATEGORY=WEIGHT', help='e.g. mass=1')
    return parser.parse_args(argv)


def prepare(args: argparse.Namespace, console: Console) -> Summary:
    """Make the phantom if it is asked for, then the set."""
    raw = args.raw or args.out / 'raw'
    with _progress(console) as progress:
        if args.source == 'phantom':
            _make_phantom(args, raw, progress)
        task = progress.add_task('preparing', total=None)
        source = get_source(args.source)
        return prepare_dataset(
            source.list_records(raw),
            args.out,
            PrepareOptions(
                height=args.height,
                crop=not args.no_crop,
                landmarks=args.landmarks,
                side_policy=args.side_policy,
                single_class=args.single_class,
                only=tuple(args.only),
            ),
            categories=source.CATEGORIES,
            source=args.source,
            workers=args.workers,
            fractions=args.split_fractions,
            seed=args.seed,
            command=shlex.join(['python', 'tools/prepare_dataset.py', *sys.argv[1:]]),
            on_start=lambda total: progress.update(task, total=total),
            on_image=lambda row: progress.advance(task),
        )


def _make_phantom(args: argparse.Namespace, raw: Path, progress: Progress) -> None:
    """Write, or complete, the raw phantom."""
    options = {'height': args.phantom_height}
    if args.finding_mix:
        options['finding_mix'] = {name: float(weight) for name, weight in (w.split('=') for w in args.finding_mix)}
    task = progress.add_task('making the phantom', total=args.num_exams)
    on_exam: Callable[[str], None] = lambda _: progress.advance(task)  # noqa: E731
    write_dataset(raw, args.num_exams, PhantomConfig(**options), args.seed, args.workers, on_exam)


def _progress(console: Console) -> Progress:
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn('left'), TimeRemainingColumn(), console=console)


def show(summary: Summary, out: Path, console: Console) -> None:
    """Print what the set holds."""
    table = Table(title=f'Prepared set {out}')
    for column in ('split', 'patients', 'exams', 'images', 'findings'):
        table.add_column(column, justify='left' if column in ('split', 'findings') else 'right')
    for split in SPLITS:
        findings = {k.split('/', 1)[1]: n for k, n in sorted(summary.findings.items()) if k.startswith(f'{split}/')}
        counts = ', '.join(f'{name} {count}' for name, count in findings.items()) or '-'
        table.add_row(split, *(str(part[split]) for part in (summary.patients, summary.exams, summary.images)), counts)
    console.print(table)
    statuses = ', '.join(f'{count} {status}' for status, count in summary.statuses.items())
    console.print(f'Files: {statuses}. The reasons are in {out / "quality.csv"}')


def main() -> int:
    args = parse_args()
    console = Console()
    show(prepare(args, console), args.out, console)
    return 0


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again to go on')
