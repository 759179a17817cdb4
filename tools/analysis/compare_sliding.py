#!/usr/bin/env python
"""Slide trained patch classifiers over views of their test set, window by window and in one pass: agreement and speed.

Examples:
    python tools/analysis/compare_sliding.py configs/patch/patch_resnet50_phantom.py CHECKPOINT --views 16
    python tools/analysis/compare_sliding.py CONFIG CHECKPOINT OTHER_CONFIG OTHER_CHECKPOINT

A classifier that was trained with context is slid in mode context, and compared with its windows one by one with their
context; any other in mode dense. Windows lie every 32 pixels. See docs/heatmaps.md.
"""

from __future__ import annotations

from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.runs import load_config
from mmmammo.apis.sliding_modes import ModeOnViews, compare_modes
from mmmammo.memory import keep_freed_memory

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ('seconds a view', 'faster', 'windows', 'log-odds r', 'mean |dp|', 'max |dp|')


def cells_of(row: ModeOnViews, exact: ModeOnViews) -> list[str]:
    """Of the table."""
    times = [f'{row.seconds:.2f}', f'{exact.seconds / row.seconds:.1f}x']
    agreed = row.agreement
    if agreed is None:
        return [*times, '', '', '', '']
    found = (f'{agreed.correlation:.4f}', f'{agreed.mean_difference:.1e}', f'{agreed.greatest_difference:.1e}')
    return [*times, str(agreed.windows), *found]


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('runs', nargs='+', metavar='CONFIG CHECKPOINT', help='one or more pairs')
    parser.add_argument('--views', type=int, default=8, help='of the test set (default: %(default)s)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args()
    if len(args.runs) % 2:
        parser.error('give a checkpoint after each config')
    keep_freed_memory()
    console = Console(width=max(Console().width, 120))
    table = Table(title=f'patch classifiers slid over {args.views} views')
    for column in ('config', 'mode', *COLUMNS):
        table.add_column(column, justify='right' if column in COLUMNS else 'left', no_wrap=column != 'config')
    for config, checkpoint in track(list(zip(args.runs[::2], args.runs[1::2], strict=True)), console=console):
        make_inputs(load_config(config), ROOT)
        rows = compare_modes(config, checkpoint, args.views, args.device)
        for row in rows:
            table.add_row(Path(config).stem, row.mode, *cells_of(row, rows[0]))
        table.add_section()
    console.print(table)
    return 0


if __name__ == '__main__':
    cli.run(main)
