"""One record to one prepared image, in memory; the same for a dataset of a million and an exam at the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy import LandmarkError, detect_landmarks
from mmmammo.io import read_mammogram
from mmmammo.prepare.checks import check_findings, check_pixels, crop_findings_box, warnings_of
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
    PreparedImage,
    View,
)

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prepared image.

    Args:
        pixels: (h, w) float32 in [0, 1], chest wall on the left.
        image: What the annotation file will say; ``image_id`` is 0 until the set is written.
        quality: Its row of ``quality.csv``.
    """

    pixels: FloatImage
    image: PreparedImage
    quality: QualityRow


def prepare_image(record: ImageRecord, options: PrepareOptions, file_name: str = '') -> Prepared:
    """Read, check, orient, crop, resize and find landmarks.

    Args:
        record: The file and what its source says of it; unknown side and view are taken from the file.
        options: What to do.
        file_name: Of the prepared image, relative to ``images``.

    Raises:
        MammoError: If the file cannot be used; the message is the reason for quarantine.
    """
    mammogram = read_mammogram(record.path)
    check_pixels(record, mammogram)
    shape = mammogram.pixels.shape
    check_findings(record, (shape[0], shape[1]))
    laterality = _first_known(record.laterality, mammogram.meta.laterality)
    view = View(_first_known(record.view, mammogram.meta.view))
    side, mended = _chest_side(record, mammogram.pixels, Laterality(laterality), options)
    pixels, affine = _transform(mammogram.pixels, side, _kept(record, options), options)
    landmarks = _landmarks(record, pixels, affine, view, options)
    image = PreparedImage(
        image_id=0,
        file_name=file_name,
        width=pixels.shape[1],
        height=pixels.shape[0],
        exam_id=record.exam_id,
        patient_id=record.patient_id,
        laterality=Laterality(laterality),
        view=view,
        affine=affine,
        pixel_spacing_mm=_spacing(mammogram, affine),
        landmarks=landmarks,
        labels=_labels(record, mammogram),
        source={'path': record.relative_path},
        findings=tuple(_mapped(finding, affine, pixels.shape, options) for finding in _kept(record, options)),
    )
    return Prepared(pixels, image, _quality(record, mammogram, image, mended))


def _first_known(*values: Any) -> Any:
    return next((value for value in values if value not in (Laterality.UNKNOWN, View.UNKNOWN)), values[-1])


def _chest_side(
    record: ImageRecord, pixels: FloatImage, laterality: Laterality, options: PrepareOptions
) -> tuple[Laterality, str]:
    """Edge of the chest wall, and what had to be mended to know it."""
    seen = breast_side(pixels)
    if Laterality.UNKNOWN in (seen, laterality):
        return (laterality if seen is Laterality.UNKNOWN else seen), ''
    if seen is laterality or options.side_policy == 'accept':
        return laterality, ''
    contradiction = f'{laterality}, but the chest wall is on the {"left" if seen is Laterality.LEFT else "right"} edge'
    if options.side_policy == 'quarantine':
        raise MammoError(
            record.relative_path,
            field='laterality',
            found=contradiction,
            expected='a left breast pointing right, a right breast pointing left',
            remedy='mirror the file, correct its laterality, or prepare with --side-policy mend',
        )
    return seen, f'laterality {contradiction}: oriented by the pixels'


def _transform(
    pixels: FloatImage, side: Laterality, findings: Sequence[Finding], options: PrepareOptions
) -> tuple[FloatImage, Affine]:
    """Mirror, crop, resize, and the map from source to prepared pixels.

    A crop that would cut a finding is not made: the annotation is surer than our idea of the breast.
    """
    source_height = pixels.shape[0]
    image, affine = orient_chest_left(pixels, side)
    if options.crop:
        cropped, moved = crop_to_breast(image)
        if _holds(cropped.shape, (moved @ affine).boxes(np.reshape([f.bbox for f in findings], (-1, 4)))):
            image, affine = cropped, moved @ affine
    if options.height is not None and options.height < source_height:
        image, scaled = _resize(image, options.height / source_height)
        affine = scaled @ affine
    return np.ascontiguousarray(image, dtype=np.float32), affine


def _holds(shape: tuple[int, ...], boxes: npt.NDArray[np.float64]) -> bool:
    """Whether all boxes lie in an image of (h, w), up to a pixel."""
    low, high = boxes[:, :2], boxes[:, 2:]
    return bool((low >= -1).all() and (high <= np.array([shape[1], shape[0]]) + 1).all())


def _resize(image: npt.NDArray[np.floating], factor: float) -> tuple[npt.NDArray[np.floating], Affine]:
    height, width = image.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), Affine.scaling(size[0] / width, size[1] / height)


def _landmarks(
    record: ImageRecord, pixels: FloatImage, affine: Affine, view: View, options: PrepareOptions
) -> BreastLandmarks | None:
    if options.landmarks == 'truth' and record.landmarks is not None:
        return record.landmarks.transformed(affine)
    try:
        return detect_landmarks(pixels, Laterality.LEFT, view)
    except LandmarkError:
        return None


def _kept(record: ImageRecord, options: PrepareOptions) -> list[Finding]:
    return [finding for finding in record.findings if not options.only or finding.category in options.only]


def _mapped(finding: Finding, affine: Affine, shape: tuple[int, ...], options: PrepareOptions) -> Finding:
    """The finding in prepared pixels, clipped to the image."""
    size = (shape[0], shape[1])
    x1, y1, x2, y2 = crop_findings_box(affine.boxes([finding.bbox])[0], size).tolist()
    polygons = tuple(np.clip(affine.points(p), 0, (size[1], size[0])) for p in finding.polygons)
    attributes = {**finding.attributes, 'category': finding.category}
    return replace(
        finding,
        bbox=(x1, y1, x2, y2),
        polygons=polygons,
        category=options.single_class or finding.category,
        attributes=attributes if options.single_class else finding.attributes,
    )


def _spacing(mammogram: Mammogram, affine: Affine) -> float | None:
    spacing = mammogram.meta.pixel_spacing_mm
    return None if spacing is None else spacing / abs(float(affine.matrix[1, 1]))


def _labels(record: ImageRecord, mammogram: Mammogram) -> Mapping[str, Any]:
    """The source's labels, and the scanner where the source is silent."""
    found = {'manufacturer': mammogram.meta.manufacturer, 'machine': mammogram.meta.model_name}
    return {key: value for key, value in found.items() if value is not None} | dict(record.labels)


def _quality(record: ImageRecord, mammogram: Mammogram, image: PreparedImage, mended: str) -> QualityRow:
    confidence = None if image.landmarks is None else round(image.landmarks.confidence, 3)
    return QualityRow(
        path=record.relative_path,
        status=MENDED if mended else ACCEPTED,
        reason=mended,
        warnings='; '.join(warnings_of(mammogram, image.laterality, image.view, confidence)),
        exam_id=image.exam_id,
        laterality=image.laterality.value,
        view=image.view.value,
        rows=mammogram.pixels.shape[0],
        columns=mammogram.pixels.shape[1],
        bits=mammogram.meta.bits_stored,
        pixel_spacing_mm=mammogram.meta.pixel_spacing_mm,
        landmark_confidence=confidence,
    )
