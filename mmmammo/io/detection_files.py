"""Detections of any model beside the truth: a COCO result list, or our predictions file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.ground_truth import GroundTruth, box_fault, is_number, read_ground_truth, xyxy
from mmmammo.io.intake import Intake, RowGate, first_of, load_json
from mmmammo.structures import ImagePrediction, MammoError

_NEAR_PX = 1.0


@dataclass(frozen=True, eq=False)
class DetectionSet:
    """Truth and detections of a set of images.

    Args:
        images: In the order of the ground truth.
        categories: Class names.
        image_labels: Of each image: density, age, machine, …
        lesion_labels: Of each lesion box, image after image: pathology, …
        split: Name of the split.
        intakes: Of the files read.
        notes: What a reader of the numbers has to know.
    """

    images: tuple[ImagePrediction, ...]
    categories: tuple[str, ...]
    image_labels: tuple[Mapping[str, Any], ...]
    lesion_labels: tuple[Mapping[str, Any], ...]
    split: str
    intakes: tuple[Intake, ...]
    notes: tuple[str, ...] = ()


def read_detection_set(
    predictions: str | Path, truth: str | Path | None = None, *, strict: bool = False
) -> DetectionSet:
    """Read detections and put them beside the truth.

    Args:
        predictions: COCO's result list ``[{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, …]``, or a
            ``predictions.json`` of ours.
        truth: COCO ground truth; by default that of the ``predictions.json`` itself.
        strict: Stop at the first faulty detection, instead of leaving it out and listing it.

    Raises:
        MammoError: If a file is absent or of another kind, the truth has a fault, or no detection can be used.
    """
    document = load_json(predictions, "COCO's list of results, or a predictions.json")
    inside = isinstance(document, dict) and isinstance(document.get('detections'), list)
    rows = document['detections'] if inside else document
    if not isinstance(rows, list) or (truth is None and not inside):
        raise MammoError(
            predictions,
            field='content',
            found=f'a JSON {type(document).__name__}' + (' without truth' if isinstance(rows, list) else ''),
            expected="COCO's list of results together with its ground truth, or a predictions.json",
            remedy='give the ground truth too (--gt)' if isinstance(rows, list) else 'check the file',
        )
    ground_truth = read_ground_truth(predictions if truth is None else truth)
    return _join(ground_truth, rows, RowGate(predictions, 'detections', strict), own_truth=truth is None)


def with_labels_of(data: DetectionSet, *annotations: str | Path) -> DetectionSet:
    """The same set with the labels of another ground truth, by image id and by box.

    Args:
        data: Usually of a ``predictions.json``, which holds no labels.
        *annotations: The annotations the images come from, each image from one. What they do not know stays unlabelled.

    Raises:
        MammoError: If annotations cannot be read, or two of them have an image of one id.
    """
    sources = [read_ground_truth(path) for path in annotations]
    labelled = _labelled_images(sources)
    images, image_labels, lesion_labels = [], [], []
    for image in data.images:
        known = labelled.get(image.image_id, _UNLABELLED)
        classes = [data.categories[label] for label in image.gt_labels]
        labels = [known.of_box(box, name) for box, name in zip(image.gt_boxes, classes, strict=True)]
        images.append(_completed(image, known.pixel_spacing_mm, labels))
        image_labels.append(known.labels)
        lesion_labels += labels
    return replace(
        data,
        images=tuple(images),
        image_labels=tuple(image_labels),
        lesion_labels=tuple(lesion_labels),
        intakes=(*data.intakes, *(replace(source.intake, what='labels') for source in sources)),
    )


@dataclass(frozen=True, eq=False)
class _Labelled:
    """What annotations say of one image."""

    boxes: npt.NDArray[np.float64]
    lesion_labels: Sequence[Mapping[str, Any]]
    labels: Mapping[str, Any]
    pixel_spacing_mm: float | None

    def of_box(self, box: npt.NDArray[np.float64], category: str) -> Mapping[str, Any]:
        """Labels of the lesion that lies there; of several the one of this class, as a place may have two findings."""
        near = [self.lesion_labels[i] for i in np.flatnonzero((np.abs(self.boxes - box) <= _NEAR_PX).all(axis=1))]
        return next((labels for labels in near if labels.get('class') == category), near[0] if near else {})


_UNLABELLED = _Labelled(np.empty((0, 4)), (), {}, None)


def _labelled_images(sources: Sequence[GroundTruth]) -> dict[int, _Labelled]:
    """Image id -> what is said of it."""
    labelled: dict[int, _Labelled] = {}
    for source in sources:
        ends = np.cumsum([len(image.gt_boxes) for image in source.images])
        for image, end, labels in zip(source.images, ends, source.image_labels, strict=True):
            if image.image_id in labelled:
                raise MammoError(
                    source.intake.path,
                    field='images: id',
                    found=f'{image.image_id}, which another annotation file has too',
                    expected='ids that no two images share',
                    remedy='prepare the splits as one set: its files share no id',
                )
            lesions = source.lesion_labels[end - len(image.gt_boxes) : end]
            labelled[image.image_id] = _Labelled(image.gt_boxes, lesions, labels, image.pixel_spacing_mm)
    return labelled


def _completed(image: ImagePrediction, spacing: float | None, labels: list[Mapping[str, Any]]) -> ImagePrediction:
    """The image with the spacing and the lesion ids that it lacks."""
    lesion_ids = image.gt_lesion_ids or tuple(str(lesion.get('lesion_id') or '') for lesion in labels)
    return replace(
        image,
        pixel_spacing_mm=image.pixel_spacing_mm or spacing,
        gt_lesion_ids=lesion_ids if any(lesion_ids) else (),
    )


def _join(truth: GroundTruth, rows: list[Any], gate: RowGate, own_truth: bool) -> DetectionSet:
    sizes = {image.image_id: (image.width, image.height) for image in truth.images}
    found: dict[int, list[tuple[list[float], float, int]]] = defaultdict(list)
    for number, row in enumerate(rows):
        fault = _row_fault(row, sizes, truth.category_ids)
        if fault is not None:
            gate.refuse(number, f'detections[{number}]', fault)
            continue
        found[row['image_id']].append((row['bbox'], float(row['score']), truth.category_ids[row['category_id']]))
    intake = gate.close(len(rows) - len(gate.refused))
    return DetectionSet(
        images=tuple(_with_detections(image, found[image.image_id]) for image in truth.images),
        categories=truth.categories,
        image_labels=truth.image_labels,
        lesion_labels=truth.lesion_labels,
        split=truth.split,
        intakes=(intake,) if own_truth else (truth.intake, intake),
        notes=truth.notes,
    )


def _with_detections(image: ImagePrediction, rows: list[tuple[list[float], float, int]]) -> ImagePrediction:
    return replace(
        image,
        boxes=xyxy([box for box, _, _ in rows]),
        scores=np.array([score for _, score, _ in rows], dtype=np.float64),
        labels=np.array([label for _, _, label in rows], dtype=np.int64),
    )


def _row_fault(row: Any, sizes: Mapping[int, tuple[int, int]], categories: Mapping[int, int]) -> MammoError | None:
    if not isinstance(row, dict):
        return _fault('row', repr(row), 'an object with image_id, category_id, bbox and score', 'see the COCO format')
    image_id, category = row.get('image_id'), row.get('category_id')
    if not isinstance(image_id, int) or image_id not in sizes:
        return _fault('image_id', repr(image_id), 'an image id of the ground truth', 'give the truth of these images')
    if not isinstance(category, int) or category not in categories:
        return _fault('category_id', repr(category), f'one of {first_of(sorted(categories), 10)}', 'map the classes')
    score = row.get('score')
    if not is_number(score) or not 0 <= score <= 1:
        remedy = 'look for nan in the model; give probabilities, not logits or per cent'
        return _fault('score', repr(score), 'a number in [0, 1]', remedy)
    fault = box_fault(row.get('bbox'), *sizes[image_id])
    if fault:
        remedy = 'give [x, y, width, height] in the pixels of the ground truth, clipped to the image'
        return _fault('bbox', fault[0], fault[1], remedy)
    return None


def _fault(field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError('detections', field=field, found=found, expected=expected, remedy=remedy)
