#!/usr/bin/env python
"""Write the heatmaps that the four-view model reads beside its images.

What is there already is left alone: the same command goes on where it was.

Examples:
    python tools/convert/nyu_weights.py DOWNLOAD/models/*.p --out work_dirs/nyu
    python tools/patch_heatmaps.py configs/nyu/nyu_pretrained_heatmaps_cohort.py work_dirs/nyu/nyu_patch.pth
"""

from __future__ import annotations

import argparse

import torch
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.patch_heatmaps import missing_heatmaps, window_step, write_heatmaps
from mmmammo.apis.runs import load_config, require_data
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of
from mmmammo.engine.nyu_weights import NYU_MODELS, build_nyu_model
from mmmammo.preprocessing.overlapping_windows import STRIDE

SPLITS = ('train', 'val', 'test')


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='a config with mmmammo.FourViewDataset')
    parser.add_argument('weights', help='nyu_patch.pth of tools/convert/nyu_weights.py')
    parser.add_argument('--splits', nargs='+', choices=SPLITS, default=SPLITS, help='(default: all)')
    parser.add_argument('--stride', type=int, default=STRIDE, help='pixels between windows (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=32, help='windows at a time (default: %(default)s)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    add_config_options(parser)
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    cfg = load_config(args.config, options=args.cfg_options)
    init_default_scope(cfg.default_scope)
    require_data(cfg, args.splits)
    model = build_nyu_model(next(known for known in NYU_MODELS if known.name == 'nyu_patch'))
    require_checkpoint_of(model, args.weights)
    model.load_state_dict(load_checkpoint(args.weights)['state_dict'])
    model.to(args.device).eval()
    records = missing_heatmaps(cfg, args.splits)
    options = {'stride': args.stride, 'batch_size': args.batch_size}
    written = write_heatmaps(model, records, window_step(cfg), **options)
    console = Console()
    errors = [err for err in track(written, 'heatmaps', total=len(records), console=console) if err is not None]
    console.print(f'{len(records) - len(errors)} images done, {len(errors)} refused')
    for err in errors:
        console.print(str(err), style='red', markup=False, highlight=False, soft_wrap=True)
    return 1 if errors else 0


if __name__ == '__main__':
    cli.run(main, interrupted='the same command goes on where it was')
