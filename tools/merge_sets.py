#!/usr/bin/env python
"""Merge prepared sets into one, to train or test on all of them.

Examples:
    python tools/merge_sets.py data/cbis_ddsm data/inbreast --out data/both
    python tools/merge_sets.py film=data/cbis_ddsm digital=data/inbreast --out data/both

OUT is a prepared set like any other. Every image keeps its split and has the name of its set before file, exam and
patient, and as label "set". Images are hard links where the disk allows: they need no room. Sets must have been
prepared alike, and hold different women. A class that one of them never marks is named: what that set shows of it
counts as background.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.prepare.merging import Merged, merge_sets
from mmmammo.prepare.run import slug
from mmmammo.prepare.splits import SPLITS
from mmmammo.provenance import git_commit, without_place
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('sets', nargs='+', metavar='[NAME=]SET', help='prepared sets; a name is that of the folder')
    parser.add_argument('--out', type=Path, required=True, help='the new set')
    parser.add_argument('--any-options', action='store_true', help='merge sets that were prepared in different ways')
    parser.add_argument(
        '--different-women', action='store_true', help='equal patient ids in two sets of one source are two women'
    )
    return parser.parse_args()


def named(words: list[str]) -> dict[str, Path]:
    """Name -> folder.

    Raises:
        MammoError: If two have one name, or a name would not do as that of a folder.
    """
    sets: dict[str, Path] = {}
    for word in words:
        name, equals, folder = ('', '', word) if Path(word).exists() else word.partition('=')
        name, folder = (name, folder) if equals else (Path(word).resolve().name, word)
        is_taken = name.lower() in map(str.lower, sets)
        if is_taken or slug(name) != name:
            raise MammoError(
                'merge',
                field='names of sets',
                found=f'{name} twice' if is_taken else repr(name),
                expected='a name of its own for each, of letters, digits, ".", "_" and "-"',
                remedy='give names as NAME=DIR',
            )
        sets[name] = Path(folder)
    return sets


def show(merged: Merged, names: list[str], console: Console) -> None:
    """What the set holds, and what to know of it."""
    table = Table('split', *names)
    for split in SPLITS:
        keys = [f'{split}/{name}' for name in names]
        cells = (f'{merged.images[k]} images, {merged.exams[k]} exams, {merged.findings[k]} findings' for k in keys)
        table.add_row(split, *cells)
    console.print(table)
    for label, lacking in merged.unmarked.items():
        console.print(
            f'{label}: {", ".join(lacking)} has no such class; what it shows of it counts as background',
            style='yellow',
            highlight=False,
        )


def main() -> int:
    args = parse_args()
    console = Console()
    sets = named(args.sets)
    info = {'command': shlex.join(['python', *map(without_place, sys.argv)]), 'git_commit': git_commit(ROOT)}
    with cli.progress_bar(console) as progress:
        task = progress.add_task('images', total=None)
        merged = merge_sets(
            sets,
            args.out,
            any_options=args.any_options,
            different_women=args.different_women,
            info=info,
            on_start=lambda total: progress.update(task, total=total),
            on_image=lambda: progress.advance(task),
        )
    show(merged, list(sets), console)
    return 0


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again; it starts anew')
