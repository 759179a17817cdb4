"""What a model says about an exam, in the pixels of the files the user has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.prepare import Prepared, QualityRow
from mmmammo.structures import STANDARD_VIEWS, Laterality
from mmmammo.visualization import region_map

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ImageResult:
    """Detections of one image.

    Args:
        prepared: The image as the model saw it before resizing; its ``affine`` leads from source to prepared pixels.
        boxes: (n, 4) xyxy in source pixels, best first.
        scores: (n,) in [0, 1].
        labels: (n,) index into the class list.
        nodes: (k, 2) in prepared pixels, or ``None``.
        attention: (h', w') over the prepared image, in (0, 1), 1/2 is neutral; ``None`` if the model has none.
    """

    prepared: Prepared
    boxes: FloatArray
    scores: FloatArray
    labels: npt.NDArray[np.int64]
    nodes: FloatArray | None = None
    attention: npt.NDArray[np.float32] | None = None

    @property
    def score(self) -> float:
        """Of the most suspicious detection; 0 without any."""
        return float(self.scores.max(initial=0.0))

    @property
    def prepared_boxes(self) -> FloatArray:
        """The boxes in prepared pixels."""
        return self.prepared.image.affine.boxes(self.boxes)

    @property
    def regions(self) -> npt.NDArray[np.float32]:
        """High-risk regions in source pixels, (h, w) in [0, 1]; see :func:`mmmammo.visualization.region_map`."""
        return region_map(self.boxes, self.scores, (self.prepared.quality.rows, self.prepared.quality.columns))

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values; geometry in source pixels."""
        image, quality = self.prepared.image, self.prepared.quality
        landmarks = image.landmarks
        return {
            'file': quality.path,
            'laterality': image.laterality.value,
            'view': image.view.value,
            'width': quality.columns,
            'height': quality.rows,
            'pixel_spacing_mm': quality.pixel_spacing_mm,
            'warnings': quality.warnings,
            'score': self.score,
            'landmarks': None if landmarks is None else landmarks.transformed(image.affine.inverse()).to_json(),
            'detections': [
                {'bbox': np.round(box, 2).tolist(), 'score': round(score, 5), 'category': classes[label]}
                for box, score, label in zip(self.boxes, self.scores.tolist(), self.labels, strict=True)
            ],
        }


@dataclass(frozen=True, eq=False)
class ExamResult:
    """Detections of one exam.

    Args:
        exam_id: As the folder names it.
        images: The views that could be used.
        rejected: The files that could not, each with its reason.
    """

    exam_id: str
    images: tuple[ImageResult, ...]
    rejected: tuple[QualityRow, ...] = ()

    @property
    def score(self) -> float:
        """Of the most suspicious detection of all views; ``nan`` for an exam without a usable image."""
        return max((image.score for image in self.images), default=float('nan'))

    @property
    def missing_views(self) -> tuple[str, ...]:
        """Standard views that no usable image shows, e.g. ``'L MLO'``."""
        there = {(image.prepared.image.laterality, image.prepared.image.view) for image in self.images}
        wanted = [(side, view) for side in (Laterality.RIGHT, Laterality.LEFT) for view in STANDARD_VIEWS]
        return tuple(f'{side} {view}' for side, view in wanted if (side, view) not in there)

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values; geometry in source pixels."""
        return {
            'exam_id': self.exam_id,
            'score': None if np.isnan(self.score) else self.score,
            'missing_views': list(self.missing_views),
            'images': [image.to_json(classes) for image in self.images],
            'rejected': [{'file': row.path, 'reason': row.reason} for row in self.rejected],
        }
