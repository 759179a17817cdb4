"""Build the geometric prior of the anatomy graph from the training lesions of a prepared set.

Every lesion seen in both views of a breast is put to the nearest pseudo-landmark of either view; the counts of these
pairs become H_g of the bipartite graph, and the mean positions of the nodes the template of the inception graph.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmmammo import cli
from mmmammo.anatomy import CORNER_MODES
from mmmammo.io.exam_index import read_index
from mmmammo.prepare.geometric_prior import build_geometric_prior
from mmmammo.structures import PreparedImage

EXAMPLE = """examples:
  python tools/build_geometric_prior.py configs/agrcnn_phantom.py --out data/phantom_decoys/geometric_prior.json
  python tools/build_geometric_prior.py data/cbis_ddsm/annotations/train.json --num-nodes 22 26 --smoothing 0.1 \\
      --out data/cbis_ddsm/geometric_prior.json

Then name the file in the config:
  dict(type='mmmammo.AnatomyGraphNeck', ..., prior='data/cbis_ddsm/geometric_prior.json')
"""


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    images = training_images(args.source)
    prior = build_geometric_prior(
        images,
        tuple(args.num_nodes),
        per_triad=args.per_triad,
        smoothing=args.smoothing,
        corner_mode=args.corner_mode,
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    prior.save(args.out)
    cells = int(np.count_nonzero(prior.counts))
    print(f'{prior.num_pairs} lesion pairs in {prior.info["views"]} views with landmarks of {len(images)}')
    print(f'{cells} of {prior.counts.size} cells are not 0; they add up to {prior.counts.sum():g}')
    print(f'wrote {args.out}')
    return 0


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help='a config, or annotations/train.json of a prepared set')
    parser.add_argument('--out', type=Path, required=True, help='the JSON file to write')
    parser.add_argument(
        '--num-nodes', type=int, nargs=2, default=(22, 26), metavar=('CC', 'MLO'), help='default: 22 26'
    )
    parser.add_argument(
        '--per-triad',
        action='store_true',
        help='count a pair once per view of it that has a contralateral one, as published',
    )
    parser.add_argument(
        '--smoothing',
        type=float,
        default=0.0,
        metavar='SIGMA',
        help='share counts among neighbouring nodes; a fraction of the breast, 0.1 reaches the next node',
    )
    parser.add_argument(
        '--corner-mode',
        choices=CORNER_MODES,
        default='midpoint',
        help='where the corner line of MLO views runs, as in PackMammogram; seed is as the paper has it (midpoint)',
    )
    return parser.parse_args(argv)


def training_images(source: Path) -> Sequence[PreparedImage]:
    """Those of the index, or of all that a config trains on: in a fold of a cross-validation, what it does not test."""
    if source.suffix != '.py':
        return read_index(source).images
    from mmmammo.apis.loaders import datasets_of  # only configs need them
    from mmmammo.apis.runs import load_config
    from mmmammo.registry import DATASETS

    no_pixels = {'pipeline': [], 'exam_pipeline': [], 'lazy_init': True}
    datasets = [
        {key: no_pixels.get(key, value) for key, value in (dict(dataset) | {'lazy_init': True}).items()}
        for dataset in datasets_of(load_config(source).train_dataloader)
    ]
    return [image for dataset in datasets for image in DATASETS.build(dataset).read_images().images]


if __name__ == '__main__':
    cli.run(main)
