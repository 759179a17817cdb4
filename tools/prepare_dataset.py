#!/usr/bin/env python
"""Turn a download into a prepared set that every config reads.

Examples:
    python tools/prepare_dataset.py phantom --out data/phantom_all --num-exams 200 --phantom-height 1024 --height 512
    python tools/prepare_dataset.py folder --raw my_exams --out data/mine --height 1024 --workers 8

An interrupted run goes on where it was when the same command is given again. Files that cannot be used are listed with
their reasons in OUT/quality.csv. See docs/prepared_sets.md.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mmmammo import cli
from mmmammo.phantom import PhantomConfig, write_dataset
from mmmammo.phantom.dataset import check_dataset, read_json
from mmmammo.prepare import PrepareOptions, SetOptions, Summary, prepare_dataset
from mmmammo.prepare.options import LANDMARK_SOURCES, SIDE_POLICIES
from mmmammo.prepare.pool import check_workers
from mmmammo.prepare.splits import SPLITS
from mmmammo.provenance import git_commit
from mmmammo.sources import SOURCES, get_source
from mmmammo.structures import MammoError


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n', 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', choices=SOURCES, metavar='SOURCE', help=f'one of {", ".join(SOURCES)}')
    parser.add_argument('--raw', type=Path, help='the download (phantom: made if missing; default OUT/raw)')
    parser.add_argument('--out', type=Path, required=True, help='the prepared set')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: all cores)')
    images = parser.add_argument_group('images')
    images.add_argument('--height', type=int, help='scale images so that the source would be this high (default: keep)')
    images.add_argument('--no-crop', action='store_true', help='keep the whole image instead of the breast')
    images.add_argument(
        '--landmarks', choices=LANDMARK_SOURCES, default='detected', help='found, or as the source has them (found)'
    )
    images.add_argument(
        '--side-policy', choices=SIDE_POLICIES, default='mend', help='when the pixels contradict the side (mend)'
    )
    findings = parser.add_argument_group('classes and splits')
    findings.add_argument('--single-class', metavar='NAME', help='merge all findings into one class')
    findings.add_argument('--only', nargs='+', default=(), metavar='CATEGORY', help='keep findings of these categories')
    findings.add_argument(
        '--split-fractions',
        nargs=3,
        type=float,
        default=(0.7, 0.1, 0.2),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='of the patients whose split the source leaves open (0.7 0.1 0.2)',
    )
    findings.add_argument('--seed', type=int, default=0, help='of the split, and of the phantom (0)')
    phantom = parser.add_argument_group('phantom')
    phantom.add_argument('--num-exams', type=int, help='how many to make (200)')
    phantom.add_argument('--phantom-height', type=int, help='of its DICOM images, in pixels (1024)')
    phantom.add_argument(
        '--finding-mix', nargs='+', type=_weight, metavar='CATEGORY=WEIGHT', help='relative frequencies, e.g. mass=1'
    )
    args = parser.parse_args(argv)
    if args.raw is None and args.source != 'phantom':
        parser.error(f'{args.source} needs --raw: the folder of its download')
    return args


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.partition('=')
    try:
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f'found {text!r}; expected CATEGORY=NUMBER, e.g. mass=1') from None


def prepare(args: argparse.Namespace, console: Console) -> Summary:
    """Make the phantom if it is asked for, then the set; what cannot be is refused before any work."""
    raw = args.raw or args.out / 'raw'
    _check_folders(raw, args.out)
    check_workers(args.workers)
    source = get_source(args.source)
    options = PrepareOptions(args.height, not args.no_crop, args.landmarks, args.side_policy)
    set_options = SetOptions(args.single_class, tuple(args.only), tuple(args.split_fractions), args.seed)
    set_options.classes(source.CATEGORIES)
    phantom = _phantom_to_make(args, raw) if args.source == 'phantom' else None
    with _progress(console) as progress:
        if phantom is not None:
            _make_phantom(phantom, raw, args.workers, progress)
        task = progress.add_task('preparing', total=None)
        return prepare_dataset(
            source.list_records(raw),
            args.out,
            options,
            set_options,
            categories=source.CATEGORIES,
            source=args.source,
            workers=args.workers,
            skipped=source.count_skipped(raw),
            info={'command': _command(sys.argv), 'git_commit': git_commit(Path(__file__).parent)},
            on_start=lambda total: progress.update(task, total=total),
            on_image=lambda row: progress.advance(task),
        )


def _check_folders(raw: Path, out: Path) -> None:
    """Keep prepared images from becoming sources."""
    if out.resolve().is_relative_to(raw.resolve()):
        raise MammoError(
            out,
            field='--out',
            found=f'a folder inside of --raw, {raw}',
            expected='a folder of its own',
            remedy='choose another --out',
        )


def _phantom_to_make(args: argparse.Namespace, raw: Path) -> tuple[int, PhantomConfig, int] | None:
    """Number of exams, config and seed of the phantom to write or complete; ``None`` if it is there.

    One that is there keeps its config where the command says nothing else.
    """
    known = raw / 'phantom.json'
    info = read_json(known) if known.is_file() else {}
    config = PhantomConfig.from_json(info.get('config', {}))
    seed, num_exams = info.get('seed', args.seed), info.get('num_exams', 200)
    wanted = replace(
        config,
        height=config.height if args.phantom_height is None else args.phantom_height,
        finding_mix=dict(args.finding_mix or config.finding_mix),
    )
    if info.get('complete') and wanted == config and args.num_exams in (None, num_exams):
        return None
    num_exams = num_exams if args.num_exams is None else args.num_exams
    check_dataset(raw, num_exams, wanted, seed, args.workers)
    return num_exams, wanted, seed


def _make_phantom(phantom: tuple[int, PhantomConfig, int], raw: Path, workers: int, progress: Progress) -> None:
    num_exams, config, seed = phantom
    task = progress.add_task('making the phantom', total=num_exams)
    write_dataset(raw, num_exams, config, seed, workers, lambda _: progress.advance(task))


def _command(argv: list[str]) -> str:
    """What the user typed, without the folders of this machine."""
    words = [os.path.relpath(word) if os.path.isabs(word) else word for word in argv]
    return shlex.join(['python', *words])


def _progress(console: Console) -> Progress:
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn('left'), TimeRemainingColumn(), console=console)


def show(summary: Summary, out: Path, shares: Sequence[float], console: Console) -> None:
    """Print what the set holds, and which split is empty though it should have a share."""
    table = Table(title=f'Prepared set {escape(str(out))}', title_justify='left')
    for column in ('split', 'patients', 'exams', 'images', 'findings'):
        table.add_column(column, justify='left' if column in ('split', 'findings') else 'right')
    for split in SPLITS:
        findings = {k.split('/', 1)[1]: n for k, n in sorted(summary.findings.items()) if k.startswith(f'{split}/')}
        counts = ', '.join(f'{name} {count}' for name, count in findings.items()) or '-'
        table.add_row(split, *(str(part[split]) for part in (summary.patients, summary.exams, summary.images)), counts)
    console.print(table)
    for split, share in zip(SPLITS, shares, strict=True):
        if share > 0 and not summary.images[split]:
            console.print(
                f'Warning: no image in {split}. Remedy: more patients, or other --split-fractions', style='red'
            )
    console.print('Views: ' + ', '.join(f'{view} {count}' for view, count in summary.views.items()))
    if summary.left_out:
        left_out = ', '.join(f'{name} {count}' for name, count in summary.left_out.items())
        console.print(f'Findings of other categories, left out: {left_out}')
    statuses = ', '.join(f'{count} {status}' for status, count in summary.statuses.items())
    skipped = f'; {summary.skipped} skipped, by their names no images' if summary.skipped else ''
    told = f'Files: {statuses}{skipped}; {summary.warnings} with a warning. Reasons: {out / "quality.csv"}'
    console.print(told, soft_wrap=True, markup=False)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    console = Console()
    show(prepare(args, console), args.out, args.split_fractions, console)
    return 0


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again to go on')
