#!/usr/bin/env python
r"""Score detections in a file anew, by the other views of their exam.

Example:
    python tools/rescore.py work_dirs/run/predictions.json --annotations data/phantom_decoys/annotations/test.json \
        --cross-view work_dirs/cross_view.json --out rescored/predictions.json
    python tools/compare.py work_dirs/run rescored --out compared

The file is a predictions.json of any model, or COCO's list of results; the annotations, of the same images, hold their
landmarks. Boxes stay as they are. tools/fit_cross_view.py makes the JSON of --cross-view; it refuses the split that it
was fitted on. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from mmmammo import cli
from mmmammo.anatomy import rescored
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.io.landmarked_detections import read_landmarked_detections
from mmmammo.io.predictions import write_predictions
from mmmammo.visualization.terminal_tables import intake_lines


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('predictions', type=Path, help="a predictions.json, or COCO's list of results")
    parser.add_argument('--annotations', type=Path, required=True, help='index of that split of the prepared set')
    parser.add_argument('--cross-view', type=Path, required=True, metavar='JSON', help='of tools/fit_cross_view.py')
    parser.add_argument('--out', type=Path, required=True, metavar='JSON', help='the predictions.json to write')
    parser.add_argument('--allow-same-split', action='store_true', help='score what the weights were fitted on')
    parser.add_argument('--strict', action='store_true', help='stop at the first row that cannot be used')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    console = Console()
    weights = CrossViewWeights.load(args.cross_view)
    data = read_landmarked_detections(args.predictions, args.annotations, strict=args.strict)
    weights.require_other(data.images, data.split, allow_same_split=args.allow_same_split)
    write_predictions(args.out, rescored(data.images, weights.apply), data.categories)
    for line in [*intake_lines(data.intakes), f'written: {args.out}']:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    cli.run(main)
