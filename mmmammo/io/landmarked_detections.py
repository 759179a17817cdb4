"""Detections with the landmarks of their images, which no file of detections holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mmmammo.io.detection_files import DetectionSet, read_detection_set
from mmmammo.io.exam_index import read_index
from mmmammo.io.intake import load_json
from mmmammo.structures import ImagePrediction, MammoError, PreparedImage


def read_landmarked_detections(
    predictions: str | Path, annotations: str | Path, *, strict: bool = False
) -> DetectionSet:
    """Read detections and put the landmarks of a prepared set beside them.

    Args:
        predictions: A ``predictions.json`` of ours, which brings its own truth, or COCO's list of results.
        annotations: Index of the same split of the prepared set; the split is called as it is there.
        strict: Stop at the first faulty detection, instead of leaving it out and listing it.

    Raises:
        MammoError: If a file cannot be read, the annotations are of other images, or no image has landmarks.
    """
    prepared_set = read_index(annotations)
    prepared = {image.image_id: image for image in prepared_set.images}
    document = load_json(predictions, "COCO's list of results, or a predictions.json")
    data = read_detection_set(predictions, None if isinstance(document, dict) else annotations, strict=strict)
    images = tuple(_with_landmarks(image, prepared.get(image.image_id), annotations) for image in data.images)
    if all(image.landmarks is None for image in images):
        raise MammoError(
            annotations,
            field='landmarks',
            found=f'none, in {len(images)} images',
            expected='those of a prepared set: places are compared by them',
            remedy='prepare the set with tools/prepare_dataset.py; its quality.csv says why an image has none',
        )
    return replace(data, images=images, split=_split(prepared_set.info, annotations))


def _with_landmarks(image: ImagePrediction, prepared: PreparedImage | None, path: str | Path) -> ImagePrediction:
    found = None if prepared is None else (prepared.exam_id, prepared.laterality.value, prepared.view.value)
    expected = (image.exam_id, image.laterality, image.view)
    if prepared is None or found != expected:
        raise MammoError(
            path,
            field=f'image {image.image_id}',
            found='nothing' if found is None else ' '.join(found),
            expected=f'{" ".join(expected)}, as the detections have it',
            remedy='give the annotations that the model was run on',
        )
    return replace(image, landmarks=prepared.landmarks)


def _split(info: Any, path: str | Path) -> str:
    return str(info.get('split') or Path(path).stem)
