"""One record to one prepared image, in memory; the same for a dataset of a million and an exam at the console."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy import PARTS, LandmarkError, apply_manual, landmarks_of
from mmmammo.io import read_film_scan, read_mammogram
from mmmammo.io.elements import shortened
from mmmammo.prepare.contours import thinned
from mmmammo.prepare.draft import Draft, cut, equalised, scaled, without_muscle
from mmmammo.prepare.facing import facing_the_breast
from mmmammo.prepare.findings import check_findings, clipped, mapped
from mmmammo.prepare.gate import (
    Fault,
    Gate,
    blank_marks,
    check_header,
    check_pixels,
    film_fault,
    looks_inverted,
    no_breast,
    tables_fault,
)
from mmmammo.prepare.masks import outline_findings
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import ACCEPTED, MENDED, QualityRow
from mmmammo.prepare.remarks import remarks
from mmmammo.preprocessing import SmallCopy, remove_film_artifacts
from mmmammo.structures import (
    VIEW_MODIFIERS,
    Affine,
    BreastLandmarks,
    Finding,
    ImageRecord,
    Laterality,
    Mammogram,
    MammogramMeta,
    PreparedImage,
    Problem,
    View,
)

_GREATEST_AGE = 90.0  # as rules of anonymity have it: few women are older
_COARSER = 1.02  # of a spacing that is asked for, beyond what rounding makes


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
    """Read, check, mend, orient, crop, find landmarks, and what else the options say.

    Args:
        record: The file and what its source says of it; unknown side and view are taken from the file.
        options: What to do.
        file_name: Of the prepared image, relative to ``images``.

    Raises:
        MammoError: If the file cannot be used; the message is the reason for quarantine.
    """
    gate = Gate(record.relative_path, options.policies)
    mammogram = _read(record, gate, options)
    record = _outlined(record, mammogram, gate)
    mammogram = _without_film(record, mammogram, gate)
    laterality, view = _side_and_view(record, mammogram.meta)
    findings = _findings(record, mammogram.pixels.shape, gate)
    small = SmallCopy.of(mammogram.pixels)
    if record.boxes_may_be_mirrored:
        findings = facing_the_breast(findings, small, gate)
    edge = _chest_edge(small, laterality, gate)
    pixels = mammogram.pixels
    if record.film is None:
        pixels = blank_marks(pixels, small, findings, mammogram.meta, gate)
    boxes = np.reshape([finding.bbox for finding in findings], (-1, 4))
    draft = cut(Draft(pixels, boxes, Affine.identity()), small, edge, options)
    found = _landmarks(record, small, edge, view, options, gate)
    draft = replace(draft, landmarks=found and found.transformed(draft.affine))
    draft = _changed(draft, record, mammogram, view, options, gate)
    image = PreparedImage(
        image_id=0,
        file_name=file_name,
        width=draft.pixels.shape[1],
        height=draft.pixels.shape[0],
        exam_id=record.exam_id,
        patient_id=record.patient_id,
        laterality=laterality,
        view=view,
        affine=draft.affine,
        pixel_spacing_mm=_prepared_spacing(mammogram.meta, draft.affine),
        landmarks=draft.landmarks,
        labels=_labels(mammogram.meta) | dict(record.labels),
        source={'path': record.relative_path} | _resolution(mammogram.meta),
        findings=tuple(mapped(finding, draft.affine) for finding in findings),
    )
    quality = _quality(record, mammogram, image, gate)
    return Prepared(np.ascontiguousarray(draft.pixels, dtype=np.float32), image, quality)


def _read(record: ImageRecord, gate: Gate, options: PrepareOptions) -> Mammogram:
    """The image as displayed, after all checks that need no more than it; with the spacing that the source knows."""
    if record.refused is not None:
        raise record.refused
    if record.film is None:
        policy = gate.policies[Problem.FOR_PROCESSING]
        mammogram = read_mammogram(
            record.path, for_processing=policy, use_voi=options.voi, rows_needed=options.rows_needed
        )
    else:
        mammogram = read_film_scan(record.path, record.film)
    for fault in (*check_header(record, mammogram.meta), *check_pixels(mammogram.pixels)):
        gate.decide(fault)
    if record.film is None and looks_inverted(mammogram.pixels):  # edges of films are white
        gate.warnings.append(
            'the air looks bright and the breast dark: inverted? Then export it again, or leave it out'
        )
    for note in record.notes:
        gate.decide(tables_fault(note))
    if mammogram.meta.pixel_spacing_mm is None:
        mammogram = replace(mammogram, meta=replace(mammogram.meta, pixel_spacing_mm=record.pixel_spacing_mm))
    return mammogram


def _outlined(record: ImageRecord, mammogram: Mammogram, gate: Gate) -> ImageRecord:
    """The record with the findings of its masks."""
    outlined = outline_findings(record, mammogram.pixels)
    for fault in outlined.faults:
        gate.decide(fault)
    return replace(record, findings=outlined.findings)


def _without_film(record: ImageRecord, mammogram: Mammogram, gate: Gate) -> Mammogram:
    """The image without the edges and labels of the film that it is a scan of."""
    if record.film is None:
        return mammogram
    pixels, removed = remove_film_artifacts(mammogram.pixels, [finding.bbox for finding in record.findings])
    fault = film_fault(removed) if removed else None
    return replace(mammogram, pixels=pixels) if gate.decide(fault) else mammogram


def _side_and_view(record: ImageRecord, meta: MammogramMeta) -> tuple[Laterality, View]:
    """What the source says, and where it is silent what the file says."""
    laterality = meta.laterality if record.laterality is Laterality.UNKNOWN else record.laterality
    view = meta.view if record.view is View.UNKNOWN else record.view
    return laterality, view


def _findings(record: ImageRecord, shape: tuple[int, ...], gate: Gate) -> list[Finding]:
    """Findings in source pixels, all inside of the image."""
    for fault in check_findings(record, shape):
        gate.decide(fault)
    return [clipped(finding, shape) for finding in record.findings]


def _chest_edge(small: SmallCopy, laterality: Laterality, gate: Gate) -> Laterality:
    """Edge of the image on which the chest wall lies: as the pixels show it, or as the side says."""
    seen = small.side
    if seen is Laterality.UNKNOWN:
        gate.decide(no_breast())
    if laterality in (seen, Laterality.UNKNOWN):
        return seen
    fault = Fault(
        Problem.LATERALITY,
        'laterality',
        f'{laterality}, but the chest wall is on the {"left" if seen is Laterality.LEFT else "right"} edge',
        'a left breast pointing right, a right breast pointing left',
        'mirror the file, or correct its laterality',
        mended='oriented by the pixels',
    )
    return seen if gate.decide(fault) else laterality


def _landmarks(
    record: ImageRecord, small: SmallCopy, edge: Laterality, view: View, options: PrepareOptions, gate: Gate
) -> BreastLandmarks | None:
    """Those set by hand over those found; in source pixels; ``None`` where that cannot be."""
    found, by_hand = _found(record, small, edge, view, options), record.manual_landmarks
    if by_hand is None:
        return found
    if found is None and set(by_hand) != set(PARTS):
        gate.warnings.append(f'landmarks set by hand are not used: no others were found; set all of {", ".join(PARTS)}')
        return None
    return apply_manual(found or BreastLandmarks(**by_hand), by_hand)


def _found(
    record: ImageRecord, small: SmallCopy, edge: Laterality, view: View, options: PrepareOptions
) -> BreastLandmarks | None:
    """The source's own landmarks if asked for, else found."""
    if options.landmarks == 'truth' and record.landmarks is not None:
        return record.landmarks
    try:
        return landmarks_of(small, edge, view, 'paper' if options.landmarks == 'paper' else 'robust')
    except LandmarkError:
        return None


def _changed(
    draft: Draft, record: ImageRecord, mammogram: Mammogram, view: View, options: PrepareOptions, gate: Gate
) -> Draft:
    """What is done only if it is asked for, to muscle, size and contrast; and the contour thinned."""
    if options.remove_pectoral:
        draft, warning = without_muscle(draft, view, options)
        gate.warnings += [warning] if warning else []
    height, spacing = mammogram.pixels.shape[0], mammogram.meta.pixel_spacing_mm
    draft = scaled(draft, options, height, spacing, record.relative_path)
    if options.spacing is not None and spacing is not None and spacing > _COARSER * options.spacing:
        gate.warnings.append(f'pixels of {spacing:.3g} mm are not enlarged to the {options.spacing:g} mm of the set')
    if options.clahe is not None:
        draft = equalised(draft, options.clahe)
    if draft.landmarks is not None:
        draft = replace(draft, landmarks=replace(draft.landmarks, contour=thinned(draft.landmarks.contour)))
    return draft


def _prepared_spacing(meta: MammogramMeta, affine: Affine) -> float | None:
    return None if meta.pixel_spacing_mm is None else meta.pixel_spacing_mm / abs(float(affine.matrix[1, 1]))


def _resolution(meta: MammogramMeta) -> dict[str, str]:
    """What the file was decoded at, if not at its own."""
    halvings = meta.attributes.get('halvings')
    return {'resolution': f'1/{2**halvings}'} if halvings else {}


def _labels(meta: MammogramMeta) -> dict[str, Any]:
    """Labels that the file itself holds."""
    age = meta.attributes.get('age')
    found = {
        'manufacturer': _no_name(meta.manufacturer),
        'machine': _no_name(meta.model_name),
        'age': None if age is None else min(age, _GREATEST_AGE),
        'implant': meta.attributes.get('implant'),
        VIEW_MODIFIERS: shortened(', '.join(meta.view_modifiers), 64) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _no_name(text: str | None) -> str | None:
    """Free text of the header; nothing if it is written as DICOM writes names."""
    return None if text is None or '^' in text else text


def _quality(record: ImageRecord, mammogram: Mammogram, image: PreparedImage, gate: Gate) -> QualityRow:
    return QualityRow(
        path=record.relative_path,
        status=MENDED if gate.mended else ACCEPTED,
        problems=gate.problems,
        reason='; '.join(gate.mended),
        warnings='; '.join([*gate.warnings, *remarks(record, mammogram.meta, image)]),
        exam_id=image.exam_id,
        laterality=image.laterality.value,
        view=image.view.value,
        rows=mammogram.pixels.shape[0],
        columns=mammogram.pixels.shape[1],
        bits=mammogram.meta.bits_stored,
        pixel_spacing_mm=mammogram.meta.pixel_spacing_mm,
        landmark_confidence=None if image.landmarks is None else round(image.landmarks.confidence, 3),
    )
