#!/usr/bin/env python
"""Turn a download into a prepared set that every config reads.

Examples:
    python tools/prepare_dataset.py phantom --out data/phantom_all --num-exams 200 --phantom-height 1024 --height 512
    python tools/prepare_dataset.py folder --raw my_exams --out data/mine --height 1024 --workers 8
    python tools/prepare_dataset.py vindr --raw /archive/vindr --out /archive/vindr_prepared --dask tcp://10.0.0.1:8786

An interrupted run goes on where it was when the same command is given again. Files that cannot be used are listed with
their reasons in OUT/quality.csv. See docs/prepared_sets.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from mmmammo import cli
from mmmammo.phantom import PhantomConfig, write_dataset
from mmmammo.phantom.dataset import check_dataset, read_json
from mmmammo.prepare import Summary, prepare_dataset
from mmmammo.prepare.arguments import add_arguments, prepare_options, set_options, source_options
from mmmammo.prepare.cluster import Cluster, dask_cluster
from mmmammo.prepare.folder import require_outside
from mmmammo.prepare.hand_set import with_manual_landmarks
from mmmammo.prepare.pool import check_workers
from mmmammo.prepare.summary_tables import summary_tables
from mmmammo.provenance import git_commit, without_place
from mmmammo.sources import get_source
from mmmammo.sources.headers import headers_on


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n', 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    phantom = parser.add_argument_group('phantom')
    phantom.add_argument('--num-exams', type=int, help='how many to make (200)')
    phantom.add_argument('--phantom-height', type=int, help='of its DICOM images, in pixels (1024)')
    phantom.add_argument(
        '--finding-mix', nargs='+', type=_weight, metavar='CATEGORY=WEIGHT', help='relative frequencies, e.g. mass=1'
    )
    phantom.add_argument('--phantom-prevalence', type=float, help='share of its exams with a finding (0.75)')
    phantom.add_argument('--phantom-malignant', type=float, help='share of its findings that are cancers (0.5)')
    phantom.add_argument(
        '--phantom-decoys',
        nargs=2,
        type=float,
        metavar=('OVERLAPS', 'SYMMETRIC'),
        help='what looks like findings: mean per image and per exam (0.25 0.4)',
    )
    phantom.add_argument(
        '--phantom-contrast',
        nargs=2,
        type=float,
        metavar=('LEAST', 'MOST'),
        help='of its lesions; 1 is gland in place of fat (0.9 2.2)',
    )
    phantom.add_argument(
        '--phantom-split',
        nargs=3,
        type=float,
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='fractions of its patients, which it fixes itself (0.7 0.1 0.2)',
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
    if args.dask:  # the workers have working folders of their own
        args.raw, args.out = args.raw and args.raw.resolve(), args.out.resolve()
    raw = args.raw or args.out / 'raw'
    require_outside(args.out, raw, '--raw')
    check_workers(args.workers)
    source = get_source(args.source)
    options, chosen = prepare_options(args, source), set_options(args)
    chosen.classes(source.CATEGORIES)
    own = source_options(args, source)
    phantom = _phantom_to_make(args, raw) if args.source == 'phantom' else None
    with ExitStack() as stack:
        progress = stack.enter_context(cli.progress_bar(console))
        if phantom is not None:
            _make_phantom(phantom, raw, args.workers, progress)
        cluster = stack.enter_context(_cluster(args.dask, raw, args.out, args.workers))
        task = progress.add_task('preparing', total=None)
        stack.enter_context(headers_on(progress))
        return prepare_dataset(
            with_manual_landmarks(source.list_records(raw, **own), raw),
            args.out,
            options,
            chosen,
            categories=source.CATEGORIES,
            source=args.source,
            workers=cluster.workers,
            executor=cluster.executor,
            skipped=source.count_skipped(raw),
            checks=source.count_checks(raw, **own),
            info={
                'command': _command(sys.argv),
                'git_commit': git_commit(Path(__file__).parent),
                'source_options': own,
            },
            on_start=lambda total: progress.update(task, total=total),
            on_image=lambda row: progress.advance(task),
        )


@contextmanager
def _cluster(address: str | None, raw: Path, out: Path, workers: int) -> Iterator[Cluster]:
    """Who does the work: processes of this machine, or a cluster that sees both folders."""
    if address is None:
        yield Cluster(None, workers)
        return
    out.mkdir(parents=True, exist_ok=True)
    with dask_cluster(address, (raw, out), workers) as cluster:
        yield cluster


def _phantom_to_make(args: argparse.Namespace, raw: Path) -> tuple[int, PhantomConfig, int] | None:
    """Number of exams, config and seed of the phantom to write or complete; ``None`` if it is there.

    One that is there keeps its config where the command says nothing else.
    """
    known = raw / 'phantom.json'
    info = read_json(known) if known.is_file() else {}
    config = PhantomConfig.from_json(info.get('config', {}))
    seed, num_exams = info.get('seed', args.seed), info.get('num_exams', 200)
    wanted = replace(config, **_said_of_phantom(args))
    if info.get('complete') and wanted == config and args.num_exams in (None, num_exams):
        return None
    num_exams = num_exams if args.num_exams is None else args.num_exams
    check_dataset(raw, num_exams, wanted, seed, args.workers)
    return num_exams, wanted, seed


def _said_of_phantom(args: argparse.Namespace) -> dict[str, object]:
    """What the command says about the phantom, by field of its config."""
    overlaps, symmetric = args.phantom_decoys or (None, None)
    said = {
        'height': args.phantom_height,
        'finding_mix': args.finding_mix and dict(args.finding_mix),
        'split': args.phantom_split,
        'prevalence': args.phantom_prevalence,
        'malignant_fraction': args.phantom_malignant,
        'contrast': args.phantom_contrast,
        'overlap_decoys': overlaps,
        'symmetric_decoys': symmetric,
    }
    return {name: value for name, value in said.items() if value is not None}


def _make_phantom(phantom: tuple[int, PhantomConfig, int], raw: Path, workers: int, progress: Progress) -> None:
    num_exams, config, seed = phantom
    task = progress.add_task('making the phantom', total=num_exams)
    write_dataset(raw, num_exams, config, seed, workers, lambda _: progress.advance(task))


def _command(argv: list[str]) -> str:
    """What the user typed, without folders and addresses of this place: they may name people and networks."""
    return shlex.join(['python', *map(without_place, argv)])


def show(summary: Summary, out: Path, shares: Sequence[float], console: Console) -> None:
    """Print what the set holds, what was wrong, and which split is empty though it should have a share."""
    for part in summary_tables(summary, out, shares):
        console.print(part, soft_wrap=isinstance(part, Text))


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    console = Console()
    show(prepare(args, console), args.out, args.split_fractions, console)
    return 0


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again to go on')
