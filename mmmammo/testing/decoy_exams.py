"""Detections of exams in which only the other views tell lesions from what looks like them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from mmmammo.io.exam_index import PreparedSet, write_index
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import Affine, BreastLandmarks, Finding, ImagePrediction, Laterality, PreparedImage, View

WIDTH, HEIGHT = 96, 128
LANDMARKS = BreastLandmarks(
    [(0.0, 0.0), (70.0, 40.0), (80.0, 64.0), (70.0, 90.0), (0.0, 128.0)], (80.0, 64.0), ((0.0, 0.0), (0.0, 128.0))
)
"""Of every view: nipple at the right, 80 pixels in front of the chest wall."""


def box_at(x: float, y: float, size: float = 10.0) -> list[float]:
    """A square box, xyxy."""
    return [x - size / 2, y - size / 2, x + size / 2, y + size / 2]


def view_prediction(
    side: str,
    view: str,
    found: Sequence[tuple[Sequence[float], float]] = (),
    lesions: Sequence[Sequence[float]] = (),
    *,
    exam: str = 'e',
    image_id: int = 0,
    landmarks: BreastLandmarks | None = LANDMARKS,
) -> ImagePrediction:
    """One view with detections ``(box, score)``."""
    return ImagePrediction(
        image_id=image_id,
        file_name=f'{exam}/{side}_{view}.png',
        width=WIDTH,
        height=HEIGHT,
        exam_id=exam,
        patient_id=f'patient of {exam}',
        laterality=side,
        view=view,
        boxes=np.array([box for box, _ in found], dtype=float).reshape(-1, 4),
        scores=np.array([score for _, score in found], dtype=float),
        labels=np.zeros(len(found), dtype=np.int64),
        gt_boxes=np.array(lesions, dtype=float).reshape(-1, 4),
        gt_labels=np.zeros(len(lesions), dtype=np.int64),
        landmarks=landmarks,
    )


def decoy_exams(num_exams: int, seed: int = 0, name: str = 'exam') -> list[ImagePrediction]:
    """Four views per exam, in which lesions score only a little higher than what is none.

    The left breast has a lesion, seen in both views, the right one an overlap, seen in one, and both breasts have
    tissue that is alike, seen in all views.
    """
    rng = np.random.default_rng(seed)
    images = []
    for exam in range(num_exams):
        depth, tissue = rng.uniform((15, 45), (25, 55)), 70.0  # x of what is seen; 80 is the nipple
        overlap_view = ('CC', 'MLO')[exam % 2]
        for number, (side, view) in enumerate(product('LR', ('CC', 'MLO'))):
            boxes = [box_at(tissue, 64)]
            lesions = [box_at(depth[0], 40 if view == 'CC' else 60)] if side == 'L' else []
            if side == 'R' and view == overlap_view:
                boxes.append(box_at(depth[1], 90))
            found = [(box, float(rng.uniform(0.3, 0.85))) for box in boxes]
            found += [(box, float(rng.uniform(0.4, 0.95))) for box in lesions]
            exam_id, image_id = f'{name}{exam:02d}', 4 * exam + number + 1
            images.append(view_prediction(side, view, found, lesions, exam=exam_id, image_id=image_id))
    return images


def write_decoy_set(folder: Path, split: str, images: Sequence[ImagePrediction]) -> tuple[Path, Path]:
    """``predictions.json`` and the index of the prepared set they would come from."""
    predictions, index = folder / 'predictions.json', folder / 'annotations' / f'{split}.json'
    write_predictions(predictions, images, ['mass'])
    prepared = tuple(
        PreparedImage(
            image.image_id,
            image.file_name,
            image.width,
            image.height,
            image.exam_id,
            image.patient_id,
            Laterality(image.laterality),
            View(image.view),
            Affine.identity(),
            landmarks=image.landmarks,
            source={'path': image.file_name, 'sha256': ''},
            findings=tuple(Finding(tuple(box), 'mass') for box in image.gt_boxes.tolist()),
        )
        for image in images
    )
    write_index(index, PreparedSet(prepared, ('mass',), {'split': split, 'source': 'testing'}))
    return predictions, index
