"""One record to one prepared image, in memory; the same for a dataset of a million and an exam at the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy import LandmarkError, detect_landmarks
from mmmammo.io import read_mammogram
from mmmammo.prepare.checks import check_pixels, no_breast, warnings_of
from mmmammo.prepare.findings import check_findings, clipped, fits, mapped
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import ACCEPTED, MENDED, QualityRow
from mmmammo.preprocessing import breast_side, crop_to_breast, orient_chest_left
from mmmammo.structures import (
    Affine,
    BreastLandmarks,
    Finding,
    ImageRecord,
    Laterality,
    MammoError,
    Mammogram,
    MammogramMeta,
    PreparedImage,
    View,
)

FloatImage = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prepared image.

    Args:
        pixels: (h, w) float32 in [0, 1], chest wall on the left.
        image: What the annotation file will say; ``image_id`` is 0 until the set is written.
        quality: Its row of ``quality.csv``.
    """

    pixels: npt.NDArray[np.float32]
    image: PreparedImage
    quality: QualityRow


def prepare_image(record: ImageRecord, options: PrepareOptions, file_name: str = '') -> Prepared:
    """Read, check, orient, crop, find landmarks and resize.

    Args:
        record: The file and what its source says of it; unknown side and view are taken from the file.
        options: What to do.
        file_name: Of the prepared image, relative to ``images``.

    Raises:
        MammoError: If the file cannot be used; the message is the reason for quarantine.
    """
    if record.refused is not None:
        raise record.refused
    mammogram = read_mammogram(record.path)
    check_pixels(record, mammogram)
    height, width = mammogram.pixels.shape
    notes = [check_findings(record, (height, width))]
    findings = [clipped(finding, (height, width)) for finding in record.findings]
    laterality, view = _side_and_view(record, mammogram.meta)
    edge, note = _chest_edge(record, mammogram.pixels, laterality, options.side_policy)
    notes.append(note)
    pixels, affine = _cut(mammogram.pixels, edge, findings, options)
    landmarks = _landmarks(record, pixels, affine, view, options)
    if options.height is not None and options.height < height:
        pixels, scaled = _resized(pixels, options.height / height)
        affine, landmarks = scaled @ affine, landmarks and landmarks.transformed(scaled)
    image = PreparedImage(
        image_id=0,
        file_name=file_name,
        width=pixels.shape[1],
        height=pixels.shape[0],
        exam_id=record.exam_id,
        patient_id=record.patient_id,
        laterality=laterality,
        view=view,
        affine=affine,
        pixel_spacing_mm=_spacing(mammogram.meta, affine),
        landmarks=landmarks,
        labels=_labels(mammogram.meta) | dict(record.labels),
        source={'path': record.relative_path},
        findings=tuple(mapped(finding, affine) for finding in findings),
    )
    quality = _quality(record, mammogram, image, '; '.join(filter(None, notes)))
    return Prepared(np.ascontiguousarray(pixels, dtype=np.float32), image, quality)


def _side_and_view(record: ImageRecord, meta: MammogramMeta) -> tuple[Laterality, View]:
    """What the source says, and where it is silent what the file says."""
    laterality = meta.laterality if record.laterality is Laterality.UNKNOWN else record.laterality
    view = meta.view if record.view is View.UNKNOWN else record.view
    return laterality, view


def _chest_edge(record: ImageRecord, pixels: FloatImage, laterality: Laterality, policy: str) -> tuple[Laterality, str]:
    """Edge of the image on which the chest wall lies, and what had to be mended to know it."""
    seen = breast_side(pixels)
    if seen is Laterality.UNKNOWN:
        raise no_breast(record)
    if laterality in (seen, Laterality.UNKNOWN):
        return seen, ''
    if policy == 'accept':
        return laterality, ''
    found = f'{laterality}, but the chest wall is on the {"left" if seen is Laterality.LEFT else "right"} edge'
    if policy == 'quarantine':
        raise MammoError(
            record.relative_path,
            field='laterality',
            found=found,
            expected='a left breast pointing right, a right breast pointing left',
            remedy='mirror the file, correct its laterality, or prepare with --side-policy mend',
        )
    return seen, f'laterality {found}: oriented by the pixels'


def _cut(
    pixels: FloatImage, edge: Laterality, findings: Sequence[Finding], options: PrepareOptions
) -> tuple[FloatImage, Affine]:
    """Mirror to have the chest wall on the left, and cut to the breast.

    A crop that would cut a finding is not made: an annotation is surer than our idea of the breast.
    """
    image, affine = orient_chest_left(pixels, edge)
    if not options.crop:
        return image, affine
    crop, moved = crop_to_breast(image)
    moved = moved @ affine
    boxes = moved.boxes(np.reshape([finding.bbox for finding in findings], (-1, 4)))
    return (crop, moved) if fits(boxes, crop.shape) else (image, affine)


def _resized(image: FloatImage, factor: float) -> tuple[FloatImage, Affine]:
    height, width = image.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    small = small.clip(0, 1)  # the mean of equal values may exceed them by a bit
    return small, Affine.scaling(size[0] / width, size[1] / height)


def _landmarks(
    record: ImageRecord, pixels: FloatImage, affine: Affine, view: View, options: PrepareOptions
) -> BreastLandmarks | None:
    """The source's own if asked for, else found in the image as it is now; ``None`` where that cannot be."""
    if options.landmarks == 'truth' and record.landmarks is not None:
        return record.landmarks.transformed(affine)
    try:
        return detect_landmarks(pixels, Laterality.LEFT, view)
    except LandmarkError:
        return None


def _spacing(meta: MammogramMeta, affine: Affine) -> float | None:
    return None if meta.pixel_spacing_mm is None else meta.pixel_spacing_mm / abs(float(affine.matrix[1, 1]))


def _labels(meta: MammogramMeta) -> dict[str, Any]:
    """Labels that the file itself holds."""
    found = {
        'manufacturer': meta.manufacturer,
        'machine': meta.model_name,
        'age': meta.attributes.get('age'),
        'implant': meta.attributes.get('implant'),
    }
    return {key: value for key, value in found.items() if value is not None}


def _quality(record: ImageRecord, mammogram: Mammogram, image: PreparedImage, mended: str) -> QualityRow:
    return QualityRow(
        path=record.relative_path,
        status=MENDED if mended else ACCEPTED,
        reason=mended,
        warnings='; '.join(warnings_of(record, mammogram.meta, image)),
        exam_id=image.exam_id,
        laterality=image.laterality.value,
        view=image.view.value,
        rows=mammogram.pixels.shape[0],
        columns=mammogram.pixels.shape[1],
        bits=mammogram.meta.bits_stored,
        pixel_spacing_mm=mammogram.meta.pixel_spacing_mm,
        landmark_confidence=None if image.landmarks is None else round(image.landmarks.confidence, 3),
    )
