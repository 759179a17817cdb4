#!/usr/bin/env python
r"""On a phantom: does a detector score lesions above overlaps, which look like lesions in the one view that shows them?

Examples:
    python tools/analysis/tell_overlaps.py work_dirs/agrcnn_phantom/predictions.json \
        --annotations data/phantom_decoys/annotations/test.json
    python tools/analysis/tell_overlaps.py RUN1/predictions.json RUN2/predictions.json --annotations INDEX --raw RAW

A lesion's or overlap's score is that of the best detection that meets it (IoU > 0.2), 0 if none does. The table has the
area under the ROC curve of lesions against overlaps, 0.5 being what one view can tell, with an interval over patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.evaluation.functional import auc, bootstrap_ci, box_iou
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.exam_index import read_index
from mmmammo.phantom.overlaps import overlap_boxes
from mmmammo.structures import ImagePrediction, MammoError

IOU = 0.2


def best_scores(image: ImagePrediction, boxes: np.ndarray) -> np.ndarray:
    """(n,) score of the best detection that meets each of (n, 4) boxes; 0 where none does."""
    pairs = np.indices((len(boxes), len(image.boxes))).reshape(2, -1)
    meets = box_iou(boxes[pairs[0]], image.boxes[pairs[1]]).reshape(len(boxes), len(image.boxes)) > IOU
    best: np.ndarray = np.where(meets, image.scores, 0.0).max(axis=1, initial=0.0)
    return best


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


def require_names(predictions: Sequence[Path]) -> None:
    """Refuse runs that the table would call the same."""
    if len({path.resolve().parent.name for path in predictions}) < len(predictions):
        raise MammoError(
            'predictions',
            field='folders',
            found=', '.join(map(str, predictions)),
            expected='folders of different names, which name the runs',
            remedy='rename one',
        )


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('predictions', type=Path, nargs='+', help='predictions.json of tools/test.py')
    parser.add_argument('--annotations', type=Path, required=True, help='index of the tested split of the phantom set')
    parser.add_argument('--raw', type=Path, help='raw set it was prepared from (default: raw/ in the prepared set)')
    parser.add_argument('--replicates', type=int, default=1000, help='draws of patients (1000)')
    args = parser.parse_args()
    raw = args.raw or args.annotations.parent.parent / 'raw'
    overlaps = overlap_boxes(read_index(args.annotations).images, raw)
    require_names(args.predictions)
    table = Table('run', 'lesions met', 'overlaps met', 'area under the curve')
    for path in args.predictions:
        labels, scores, patients = scored_structures(read_detection_set(path).images, overlaps, args.annotations)
        area = bootstrap_ci(lambda r, y=labels, s=scores: float(auc(y[r], s[r])), patients, args.replicates)
        met = [f'{np.count_nonzero(scores[labels == kind])} of {(labels == kind).sum()}' for kind in (1, 0)]
        table.add_row(path.resolve().parent.name, *met, f'{area.estimate:.3f} ({area.low:.3f} to {area.high:.3f})')
    Console().print(table)
    return 0


if __name__ == '__main__':
    cli.run(main)
