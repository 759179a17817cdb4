#!/usr/bin/env python
r"""On a phantom: does a detector score lesions above overlaps, which look like lesions in the one view that shows them?

Examples:
    python tools/analysis/tell_overlaps.py work_dirs/agrcnn_phantom/predictions.json \
        --annotations data/phantom_decoys/annotations/test.json
    python tools/analysis/tell_overlaps.py a=RUN1/predictions.json b=RUN2/predictions.json --annotations INDEX --raw RAW

A lesion's or overlap's score is that of the best detection that meets it (IoU > 0.2), 0 if none does. The table has the
area under the ROC curve of lesions against overlaps, 0.5 being what one view can tell, with an interval over patients;
and how many of the false positives are overlaps where there are 0.5, 1 and 2 of them per image, as FROC counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.named_runs import named_runs
from mmmammo.evaluation.functional import (
    auc,
    bootstrap_ci,
    box_iou,
    flatten_images,
    froc_curve,
    froc_threshold_at,
    match_detections,
)
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.exam_index import read_index
from mmmammo.phantom.overlaps import overlap_boxes
from mmmammo.structures import ImagePrediction, MammoError

IOU = 0.2
FPS_PER_IMAGE = (0.5, 1.0, 2.0)


def best_scores(image: ImagePrediction, boxes: np.ndarray) -> np.ndarray:
    """(n,) score of the best detection that meets each of (n, 4) boxes; 0 where none does."""
    best: np.ndarray = np.where(_meet(boxes, image.boxes), image.scores, 0.0).max(axis=1, initial=0.0)
    return best


def overlaps_among_false_positives(
    images: Sequence[ImagePrediction], overlaps: Mapping[int, np.ndarray], fps_per_image: Sequence[float]
) -> list[float]:
    """Share of the false positives that meet an overlap, at the threshold of each rate; nan where there are none."""
    flat = flatten_images([(image.boxes, image.scores) for image in images], [image.gt_boxes for image in images])
    matches = match_detections(flat, iou_thr=IOU)
    curve = froc_curve(matches)
    meets = np.concatenate([_meet(image.boxes, overlaps[image.image_id]).any(axis=1) for image in images])
    wrong, is_overlap = matches.is_false_positive, meets[matches.detection]
    shares = []
    for rate in fps_per_image:
        counted = is_overlap[wrong & (matches.scores >= froc_threshold_at(curve, rate))]
        shares.append(float(counted.mean()) if counted.size else float('nan'))
    return shares


def _meet(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, m) bool."""
    pairs = np.indices((len(boxes), len(others))).reshape(2, -1)
    met: np.ndarray = box_iou(boxes[pairs[0]], others[pairs[1]]).reshape(len(boxes), len(others)) > IOU
    return met


def scored_structures(
    images: Sequence[ImagePrediction], overlaps: Mapping[int, np.ndarray], annotations: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1 for a lesion and 0 for an overlap, score, and patient of each that the images show."""
    rows: list[tuple[int, float, str]] = []
    for image in images:
        if image.image_id not in overlaps:
            raise MammoError(
                annotations,
                field='images',
                found=f'none with id {image.image_id}',
                expected='all images that were tested',
                remedy='give the annotations that the model was tested on',
            )
        for is_lesion, boxes in ((1, image.gt_boxes), (0, overlaps[image.image_id])):
            rows += [(is_lesion, float(score), image.patient_id) for score in best_scores(image, boxes)]
    labels, scores, patients = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(labels), np.array(scores), np.array(patients)


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('predictions', nargs='+', metavar='[NAME=]FILE', help='predictions.json of tools/test.py')
    parser.add_argument('--annotations', type=Path, required=True, help='index of the tested split of the phantom set')
    parser.add_argument('--raw', type=Path, help='raw set it was prepared from (default: raw/ in the prepared set)')
    parser.add_argument('--replicates', type=int, default=1000, help='draws of patients (1000)')
    args = parser.parse_args()
    raw = args.raw or args.annotations.parent.parent / 'raw'
    overlaps = overlap_boxes(read_index(args.annotations).images, raw)
    rates = [f'at {rate:g} FPI' for rate in FPS_PER_IMAGE]
    table = Table('run', 'lesions met', 'overlaps met', 'area under the curve', *rates)
    table.caption = 'at … FPI: how many of the false positives are overlaps'
    for name, (path, *_) in named_runs(args.predictions).items():
        images = read_detection_set(path).images
        labels, scores, patients = scored_structures(images, overlaps, args.annotations)
        area = bootstrap_ci(lambda r, y=labels, s=scores: float(auc(y[r], s[r])), patients, args.replicates)
        met = [f'{np.count_nonzero(scores[labels == kind])} of {(labels == kind).sum()}' for kind in (1, 0)]
        shares = [f'{share:.1%}' for share in overlaps_among_false_positives(images, overlaps, FPS_PER_IMAGE)]
        table.add_row(name, *met, f'{area.estimate:.3f} ({area.low:.3f} to {area.high:.3f})', *shares)
    Console().print(table)
    return 0


if __name__ == '__main__':
    cli.run(main)
