#!/usr/bin/env python
"""Draw precision, recall and F1 of lesions against the score threshold, and mark the best F1 (paper 3's figure).

Example:
    python tools/analysis/plot_thresholds.py report/predictions.json --out work_dirs/plots

The best threshold of these images is too good for others: choose one on the validation split with tools/evaluate.py and
freeze it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.evaluation.functional import froc_result, lesion_f1, match_images
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE
from mmmammo.evaluation.functional.threshold_choice import best_froc_threshold
from mmmammo.io.detection_files import read_detection_set
from mmmammo.visualization.curves import draw_threshold_sweep
from mmmammo.visualization.figures import Plot, save_plots


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('predictions', type=Path, help='predictions.json of tools/test.py')
    parser.add_argument('--iou', type=float, default=0.2, help='a hit overlaps its lesion by more (0.2)')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    args = parser.parse_args()
    images = read_detection_set(args.predictions).images
    result = froc_result(match_images(images, iou_thr=args.iou), DEFAULT_FPS_PER_IMAGE)
    threshold = best_froc_threshold(result, 'max_f1', None)
    at = int(np.argmax(lesion_f1(result)))
    found, false = result.recall[at] * result.n_lesions, result.fps_per_image[at] * result.n_images
    print(
        f'{result.n_lesions} lesions in {result.n_images} images; best F1 {lesion_f1(result)[at]:.3f} at a score of '
        f'{threshold:.3f}: precision {found / (found + false):.3f}, recall {result.recall[at]:.3f}, '
        f'{result.fps_per_image[at]:.2f} false positives per image'
    )
    figure = draw_threshold_sweep(result, threshold, 'best F1')
    for path in save_plots([Plot('thresholds', figure, 'Threshold sweep', 'Threshold sweep')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
