"""What a model said about one image, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.structures.landmarks import BreastLandmarks


def _no_boxes() -> npt.NDArray[np.float64]:
    return np.empty((0, 4))


@dataclass(frozen=True, eq=False)
class ImagePrediction:
    """Truth and detections of one image, in prepared pixels, boxes xyxy.

    Args:
        image_id: COCO image id.
        file_name: Where the prepared image lies; relative to the images folder, or absolute.
        width: Of the prepared image.
        height: Of the prepared image.
        exam_id: Empty where the data set has no exams.
        patient_id: Empty where the data set names no patients.
        laterality: ``'L'``, ``'R'`` or ``'U'``.
        view: View abbreviation.
        boxes: (n, 4).
        scores: (n,) in [0, 1].
        labels: (n,) index into the class list.
        gt_boxes: (m, 4).
        gt_labels: (m,).
        ignored_boxes: (k, 4) regions in which detections do not count.
        ignored_labels: (k,).
        gt_lesion_ids: (m,) the same for one lesion in every view of its exam; empty where the source does not link
            views.
        pixel_spacing_mm: Of the prepared pixels; ``None`` where unknown.
        landmarks: In prepared pixels; ``None`` where unknown, or where nobody asked for them. No file keeps them.
    """

    image_id: int
    file_name: str = ''
    width: int = 0
    height: int = 0
    exam_id: str = ''
    patient_id: str = ''
    laterality: str = 'U'
    view: str = 'UNKNOWN'
    boxes: npt.NDArray[np.float64] = field(default_factory=_no_boxes)
    scores: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    labels: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    gt_boxes: npt.NDArray[np.float64] = field(default_factory=_no_boxes)
    gt_labels: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    ignored_boxes: npt.NDArray[np.float64] = field(default_factory=_no_boxes)
    ignored_labels: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    gt_lesion_ids: tuple[str, ...] = ()
    pixel_spacing_mm: float | None = None
    landmarks: BreastLandmarks | None = None

    def of_label(self, label: int) -> ImagePrediction:
        """Only the boxes of one class."""
        found, true, ignored = self.labels == label, self.gt_labels == label, self.ignored_labels == label
        return self._with_boxes(found, true, ignored)

    def above(self, score_thr: float) -> ImagePrediction:
        """Only the detections with at least this score."""
        return self._with_boxes(self.scores >= score_thr, slice(None), slice(None))

    def _with_boxes(self, found: Any, true: Any, ignored: Any) -> ImagePrediction:
        lesion_ids = np.array(self.gt_lesion_ids, dtype=object)
        return replace(
            self,
            boxes=self.boxes[found],
            scores=self.scores[found],
            labels=self.labels[found],
            gt_boxes=self.gt_boxes[true],
            gt_labels=self.gt_labels[true],
            gt_lesion_ids=tuple(lesion_ids[true]) if len(lesion_ids) else (),
            ignored_boxes=self.ignored_boxes[ignored],
            ignored_labels=self.ignored_labels[ignored],
        )


@dataclass(frozen=True)
class LesionPair:
    """Two detections, in two views of a breast, that are taken for one lesion.

    Args:
        image_id: Of the CC view.
        detection: Index into its detections.
        other_image_id: Of the MLO view.
        other_detection: Index into its detections.
        score: Probability in [0, 1] that they are one.
    """

    image_id: Any
    detection: int
    other_image_id: Any
    other_detection: int
    score: float
