"""Command line: write a download as its users find it, faults included, and list what was planted."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing import DRESSES, dress
from mmmammo.structures import MammoError

EXAMPLE = """example:
  python -m mmmammo.phantom.dressing vindr --out data/raw/vindr_dressed
  python tools/prepare_dataset.py vindr --raw data/raw/vindr_dressed --out data/vindr_dressed

Every image is synthetic and every id invented; it shows what a source does with a download before you have one."""


def main(argv: list[str] | None = None) -> int:
    """Parse, write, list; 0 on success.

    Raises:
        MammoError: If an option is out of range, or the folder is not empty.
    """
    arguments = _parse(argv)
    if arguments.out.exists() and (not arguments.out.is_dir() or any(arguments.out.iterdir())):
        raise MammoError(
            arguments.out, field='--out', found='something there', expected='a new folder', remedy='choose another'
        )
    config = PhantomConfig(height=arguments.height)
    planted = dress(arguments.source, arguments.out, arguments.exams, config, arguments.seed)
    table = Table(title=f'{len(planted)} faults planted in {arguments.out}', title_justify='left')
    for column in ('file', 'fault', 'becomes'):
        table.add_column(column, overflow='fold')
    for fault in planted:
        table.add_row(fault.path, fault.fault, fault.status)
    Console().print(table)
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m mmmammo.phantom.dressing',
        description='Dress the phantom as the download of a public dataset, with the faults that real ones have.',
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', choices=DRESSES, metavar='SOURCE', help=f'one of {", ".join(DRESSES)}')
    parser.add_argument('--out', type=Path, required=True, help='new folder to write to')
    parser.add_argument('--exams', type=int, default=12, help='number of exams (default: %(default)s)')
    parser.add_argument('--height', type=int, default=256, help='of the images, in pixels (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the exams and the faults (default: %(default)s)')
    return parser.parse_args(argv)


if __name__ == '__main__':
    cli.run(main)
