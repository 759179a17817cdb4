#!/usr/bin/env python
"""Fit anchors to the boxes of a training split: percentiles, k-means by IoU, and how well they cover the boxes.

Examples:
    python tools/analysis/fit_anchors.py configs/agrcnn_phantom.py
    python tools/analysis/fit_anchors.py configs/yolov3_cbis.py --shapes 9 --out work_dirs/plots

Boxes are measured at the size that the config's pipeline resizes images to, before augmentation. Prints what to give
to --cfg-options; with --out also draws anchors.png and .svg. The IoU is that of boxes with a common centre, which
flatters: the anchors of a level stand only every stride pixels, so that a box may lie far from the nearest one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.runs import load_config, require_data
from mmmammo.io.exam_index import read_index
from mmmammo.prepare.anchor_fit import (
    PERCENTILES,
    AnchorFit,
    anchor_sizes,
    best_iou,
    box_sizes,
    fit_anchors,
    kmeans_sizes,
)
from mmmammo.visualization.analysis_plots import draw_anchors
from mmmammo.visualization.figures import Plot, save_plots


def resize_scale(cfg: Config) -> tuple[int, int] | None:
    """What the training pipeline resizes to."""
    scales = [
        step.scale for step in cfg.train_dataloader.dataset.pipeline if step.type in ('Resize', 'mmmammo.SmoothResize')
    ]
    return tuple(scales[0]) if scales else None


def own_anchors(cfg: Config) -> np.ndarray | None:
    """(n, 2) of the config's RPN or YOLO head."""
    for head in ('rpn_head', 'bbox_head'):
        generator: Any = cfg.model.get(head, {}).get('anchor_generator', {})
        sizes = generator.get('base_sizes')
        if sizes and 'ratios' in generator:
            return anchor_sizes(np.outer(sizes, generator.get('scales', [1.0])).ravel(), generator.ratios)
        if sizes:
            return np.array([size for level in sizes for size in level], dtype=float)
    return None


def percentile_table(sizes: np.ndarray, title: str) -> Table:
    """Sizes and shapes of the boxes."""
    table = Table(title=title)
    for name in ('', *(f'{p} %' for p in PERCENTILES), 'mean'):
        table.add_column(name, justify='right')
    width, height = sizes.T
    for name, values, digits in (
        ('width, px', width, 1),
        ('height, px', height, 1),
        ('root of area, px', np.sqrt(width * height), 1),
        ('height / width', height / width, 2),
    ):
        numbers = [*np.percentile(values, PERCENTILES), values.mean()]
        table.add_row(name, *(f'{number:.{digits}f}' for number in numbers))
    return table


def options(fit: AnchorFit) -> str:
    """The fit as one would type it."""
    sides, ratios = ([f'{value:.3g}' for value in values] for values in (fit.sides, fit.ratios))
    key = 'model.rpn_head.anchor_generator'
    return f"--cfg-options '{key}.base_sizes=[{','.join(sides)}]' '{key}.ratios=[{','.join(ratios)}]'"


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='whose training set and size of images')
    parser.add_argument('--levels', type=int, default=5, help='sizes, one per pyramid level (5)')
    parser.add_argument('--ratios', type=int, default=3, help='shapes per size (3)')
    parser.add_argument('--shapes', type=int, default=9, help='free shapes, as YOLO has them (9)')
    parser.add_argument('--out', type=Path, help='folder of the picture')
    add_config_options(parser)
    args = parser.parse_args()
    cfg = load_config(args.config, options=args.cfg_options)
    require_data(cfg, ('train',))
    dataset = cfg.train_dataloader.dataset
    sizes = box_sizes(read_index(Path(dataset.data_root, dataset.ann_file)).images, resize_scale(cfg))
    fit, shapes, own = fit_anchors(sizes, args.levels, args.ratios), kmeans_sizes(sizes, args.shapes), own_anchors(cfg)
    console = Console(highlight=False, soft_wrap=True)
    console.print(percentile_table(sizes, f'{len(sizes)} boxes of {dataset.data_root}, as the detector sees them'))
    free = best_iou(sizes, shapes)
    console.print(f'\nmean IoU of a box with its best anchor: fitted {fit.iou:.3f}, free shapes {free:.3f}')
    if own is not None:
        console.print(f"with the config's own: {best_iou(sizes, own):.3f}")
    console.print(f'\nRPN: {options(fit)}', markup=False)
    console.print(
        f'free shapes (w, h): {[tuple(shape) for shape in shapes.round().astype(int).tolist()]}', markup=False
    )
    if args.out:
        drawn = {'fitted: sizes x ratios': anchor_sizes(fit.sides, fit.ratios), 'free shapes': shapes}
        figure = draw_anchors(sizes, drawn | ({} if own is None else {'of the config': own}))
        for path in save_plots([Plot('anchors', figure, 'Boxes and anchors', 'Anchors')], args.out):
            print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
