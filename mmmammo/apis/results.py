"""What a model says about an exam, in the pixels of the files the user has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.prepare import Prepared, QualityRow
from mmmammo.structures import STANDARD_VIEWS, CrossViewEvidence, Heatmap, Laterality, LesionPair
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
        malignancy: (n,) probability that the lesion is malignant, ``nan`` where not judged; ``None`` without a second
            stage.
        lesions: (n,) letter of the lesion, the same in both views of a breast; '' for a detection without counterpart.
        heatmap: In prepared pixels; ``None`` if the model has none.
        evidence: The detector's own scores and what the other views show, where ``scores`` are made of them; ``None``
            where ``scores`` are the detector's.
    """

    prepared: Prepared
    boxes: FloatArray
    scores: FloatArray
    labels: npt.NDArray[np.int64]
    nodes: FloatArray | None = None
    attention: npt.NDArray[np.float32] | None = None
    malignancy: FloatArray | None = None
    lesions: tuple[str, ...] = ()
    heatmap: Heatmap | None = None
    evidence: CrossViewEvidence | None = None

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
        """High-risk regions in source pixels, (h, w) in [0, 1]: the heatmap's strongest class at each place.

        Without a heatmap what the detections make, see :func:`mmmammo.visualization.region_map`.
        """
        shape = (self.prepared.quality.rows, self.prepared.quality.columns)
        if self.heatmap is None:
            return region_map(self.boxes, self.scores, shape)
        to_source = (self.prepared.image.affine.inverse() @ self.heatmap.image_from_cell).matrix[:2]
        to_source = to_source @ [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]  # OpenCV's indices are centres of pixels
        to_source[:, 2] -= 0.5
        cells = np.nan_to_num(self.heatmap.strongest, nan=0.0)
        return cv2.warpAffine(cells, to_source, shape[::-1], flags=cv2.INTER_NEAREST)

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
            'detections': [self._detection(i, classes) for i in range(len(self.boxes))],
        }

    def _detection(self, i: int, classes: Sequence[str]) -> dict[str, Any]:
        return {
            'bbox': np.round(self.boxes[i], 2).tolist(),
            'score': round(float(self.scores[i]), 5),
            'category': classes[self.labels[i]],
            'lesion': (self.lesions[i] or None) if self.lesions else None,
            'malignancy': None if self.malignancy is None else _number(self.malignancy[i]),
            **{name: None if values is None else _number(values[i]) for name, values in self._evidence.items()},
        }

    @property
    def _evidence(self) -> dict[str, FloatArray | None]:
        """What the scores were made of, by the names that files have for it."""
        found = self.evidence
        return {
            'detector_score': None if found is None else found.own,
            'ipsilateral': None if found is None else found.ipsilateral,
            'contralateral': None if found is None else found.contralateral,
        }


@dataclass(frozen=True, eq=False)
class ExamResult:
    """Detections of one exam.

    Args:
        exam_id: As the folder names it.
        images: The views that could be used.
        rejected: The files that could not, each with its reason.
        pairs: Detections of two views that are taken for one lesion; their image ids are indices into ``images``.
    """

    exam_id: str
    images: tuple[ImageResult, ...]
    rejected: tuple[QualityRow, ...] = ()
    pairs: tuple[LesionPair, ...] = ()

    @property
    def score(self) -> float:
        """Of the most suspicious detection of all views; ``nan`` for an exam without a usable image."""
        return max((image.score for image in self.images), default=float('nan'))

    @property
    def missing_views(self) -> tuple[str, ...]:
        """Standard views that no usable image shows, e.g. ``'L MLO'``."""
        return missing_views([image.prepared for image in self.images])

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values; geometry in source pixels."""
        return {
            'exam_id': self.exam_id,
            'score': None if np.isnan(self.score) else self.score,
            'missing_views': list(self.missing_views),
            'images': [image.to_json(classes) for image in self.images],
            'pairs': [self._pair(pair) for pair in self.pairs],
            'rejected': [{'file': row.path, 'reason': row.reason} for row in self.rejected],
        }

    def _pair(self, pair: LesionPair) -> dict[str, Any]:
        """Which detection of which file is which of which other one."""
        ends = ((pair.image_id, pair.detection), (pair.other_image_id, pair.other_detection))
        return {
            'lesion': self.images[pair.image_id].lesions[pair.detection],
            'score': round(pair.score, 5),
            'detections': [{'file': self.images[i].prepared.quality.path, 'index': index} for i, index in ends],
        }


def missing_views(images: Sequence[Prepared]) -> tuple[str, ...]:
    """Standard views that no image shows, e.g. ``'L MLO'``."""
    there = {(prepared.image.laterality, prepared.image.view) for prepared in images}
    wanted = [(side, view) for side in (Laterality.RIGHT, Laterality.LEFT) for view in STANDARD_VIEWS]
    return tuple(f'{side} {view}' for side, view in wanted if (side, view) not in there)


def _number(value: float) -> float | None:
    """For JSON; ``nan`` is nothing."""
    return None if np.isnan(value) else round(float(value), 5)
