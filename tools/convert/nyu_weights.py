#!/usr/bin/env python
"""Turn the released weights of NYU's models into checkpoints of ours.

The files are your download (nyukat/breast_cancer_classifier, folder models; its terms apply to them). They are read as
data: a file that holds anything but tensors is refused, and so is a model that is not known.

Examples:
    python tools/convert/nyu_weights.py models/*.p --out work_dirs/nyu                 one checkpoint per file
    python tools/convert/nyu_weights.py WEIGHTS.p --out work_dirs/nyu/nyu_image.pth
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.engine.nyu_weights import convert_nyu_weights, save_converted
from mmmammo.structures import MammoError


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('weights', nargs='+', type=Path, metavar='IN', help='released files')
    parser.add_argument('--out', required=True, type=Path, help='a folder, or with one IN a .pth file')
    args = parser.parse_args()
    if args.out.suffix == '.pth' and len(args.weights) > 1:
        parser.error('--out: several files need a folder')
    return args


def convert(path: Path, out: Path) -> tuple[str, str, str]:
    """One file; the row of the table."""
    known, state = convert_nyu_weights(path)
    target = out if out.suffix == '.pth' else out / f'{known.name}.pth'
    source = f'{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}'
    save_converted(target, known, state, source)
    return path.name, f'{known.name}, {known.parameters:,} parameters', str(target)


def main() -> int:
    args = parse_args()
    console = Console()
    table = Table('file', 'model', 'written')
    refused = []
    for path in args.weights:
        try:
            table.add_row(*convert(path, args.out))
        except MammoError as err:
            refused.append(err)
    if table.row_count:
        console.print(table)
    for err in refused:
        console.print(f'refused: {err}', style='red', soft_wrap=True, markup=False, highlight=False)
    return 1 if refused else 0


if __name__ == '__main__':
    cli.run(main)
