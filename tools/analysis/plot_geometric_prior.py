#!/usr/bin/env python
"""Draw the geometric prior of the bipartite graph: which places of a CC view belong to which of an MLO view.

Examples:
    python tools/analysis/plot_geometric_prior.py data/phantom_decoys/geometric_prior_22_26.json --out work_dirs/plots
    python tools/analysis/plot_geometric_prior.py --out work_dirs/plots          (as paper 3 prints it, CBIS-DDSM)

Writes geometric_prior.png and .svg. Nodes without a lesion in training are white: no message passes them.
"""

from __future__ import annotations

from pathlib import Path

from mmmammo import cli
from mmmammo.anatomy import GeometricPrior
from mmmammo.anatomy.published_prior import published_counts
from mmmammo.apis.arguments import make_parser
from mmmammo.visualization.analysis_plots import draw_geometric_prior
from mmmammo.visualization.figures import Plot, save_plots


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('prior', nargs='?', type=Path, help='from build_geometric_prior.py; none: the published one')
    parser.add_argument('--out', type=Path, required=True, help='folder of the pictures')
    args = parser.parse_args()
    counts = GeometricPrior.load(args.prior).counts if args.prior else published_counts()
    title = args.prior.stem if args.prior else 'Published for CBIS-DDSM'
    figure = draw_geometric_prior(counts, title)
    for path in save_plots([Plot('geometric_prior', figure, title, 'H_g')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
