#!/usr/bin/env python
"""Draw the sizes of the detections against those of the annotated lesions (paper 3's figure): do small ones go missing?

Examples:
    python tools/analysis/plot_sizes.py report/predictions.json --out work_dirs/plots
    python tools/analysis/plot_sizes.py report/predictions.json --score 0.7 --out work_dirs/plots

Without --score those detections are drawn that maximise F1. Areas are in mm2 where every image knows its pixel spacing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.evaluation.functional import froc_result, match_images
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE
from mmmammo.evaluation.functional.threshold_choice import best_froc_threshold
from mmmammo.io.detection_files import read_detection_set
from mmmammo.structures import ImagePrediction
from mmmammo.visualization.curves import draw_sizes
from mmmammo.visualization.figures import Plot, save_plots


def areas(images: tuple[ImagePrediction, ...], score: float, known: bool) -> tuple[np.ndarray, np.ndarray]:
    """Areas of the detections from a score on, and of the lesions."""
    predicted, true = [np.empty(0)], [np.empty(0)]
    for image in images:
        unit = (image.pixel_spacing_mm or 1.0) ** 2 if known else 1.0
        for boxes, into in ((image.boxes[image.scores >= score], predicted), (image.gt_boxes, true)):
            into.append((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) * unit)
    return np.concatenate(predicted), np.concatenate(true)


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('predictions', type=Path, help='predictions.json of tools/test.py')
    parser.add_argument('--score', type=float, help='draw detections from this score on')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    args = parser.parse_args()
    images = read_detection_set(args.predictions).images
    score = args.score
    if score is None:
        score = best_froc_threshold(froc_result(match_images(images), DEFAULT_FPS_PER_IMAGE), 'max_f1', None)
    known = all(image.pixel_spacing_mm for image in images)
    predicted, true = areas(images, score, known)
    print(f'{len(predicted)} detections with a score of {score:.3f} or more, {len(true)} lesions')
    figure = draw_sizes(predicted, true, 'mm²' if known else 'pixels²')
    for path in save_plots([Plot('sizes', figure, 'Sizes', 'Sizes')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
