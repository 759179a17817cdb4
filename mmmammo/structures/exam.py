"""A mammogram, a screening exam, and who is whose partner in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.structures.errors import MammoError
from mmmammo.structures.findings import Finding, MaskedFinding
from mmmammo.structures.geometry import Affine
from mmmammo.structures.landmarks import BreastLandmarks
from mmmammo.structures.views import STANDARD_VIEWS, Laterality, View


@dataclass(frozen=True, eq=False)
class MammogramMeta:
    """What a file says about its pixels. Absent is ``None``; no patient name, birth date or address is ever kept.

    Args:
        laterality: From ImageLaterality, then Laterality (or their equivalents); ``UNKNOWN`` if neither.
        view: From ViewCodeSequence first, then ViewPosition.
        view_modifiers: Meanings of CID 4015 codes, e.g. ``('magnification', 'implant displaced')``.
        pixel_spacing_mm: Distance of neighbouring pixel centres at the detector.
        bits_stored: Significant bits of a stored value.
        manufacturer: As written in the file.
        model_name: As written in the file.
        attributes: Any further acquisition facts (thickness, age, transfer syntax, photometric interpretation, …).
    """

    laterality: Laterality = Laterality.UNKNOWN
    view: View = View.UNKNOWN
    view_modifiers: tuple[str, ...] = ()
    patient_id: str | None = None
    study_uid: str | None = None
    image_uid: str | None = None
    pixel_spacing_mm: float | None = None
    bits_stored: int | None = None
    manufacturer: str | None = None
    model_name: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Mammogram:
    """One image as displayed: bright breast on dark ground.

    Args:
        pixels: (h, w) float32 in [0, 1].
        meta: What the file says about it.
    """

    pixels: npt.NDArray[np.float32]
    meta: MammogramMeta


@dataclass(frozen=True, eq=False)
class FilmScan:
    """What a source knows of a digitised film and its file does not say.

    Args:
        digitizer: The scanner, whose curve from grey values to optical density is known by this name; ``None`` if
            unknown or of no use.
        shape: (h, w) of files that do not say it themselves.
    """

    digitizer: str | None = None
    shape: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """One source file as a dataset's tables describe it; no pixel has been touched.

    Args:
        path: The file.
        relative_path: The same, relative to the raw folder, ``/``-separated; what reports show.
        exam_id: Groups the views that are read together.
        patient_id: Groups exams; splits never divide it.
        laterality: ``UNKNOWN`` means: read it from the file.
        view: Likewise.
        findings: In source pixels.
        masked: Findings whose place is in image files of their own; pixels are needed to turn them into findings.
        labels: Image- or breast-level labels (``cancer``, ``birads``, ``density``, …); absent keys are unknown.
        landmarks: Ground truth in source pixels, if the source has any.
        split: ``'train'``, ``'val'``, ``'test'`` or ``None`` (to be drawn by patient).
        refused: Why the source forbids to open ``path``, e.g. a link that leads out of the folder.
        pixel_spacing_mm: What the source says, for files that do not say it.
        film: Set where the file is a scan of a film, whose labels, tape and edges are no breast.
        notes: What the source put right in its own tables for this image; it makes the image ``mended``.
        sha256: Hex digest of the file, where the source publishes it; a file that differs is left out.
        boxes_may_be_mirrored: Whether some findings of this source are those of a copy that faced the other way; they
            are then mended where the pixels show it.
        manual_landmarks: Any of the parts of landmarks in source pixels, as a reader has set them.
    """

    path: Path
    relative_path: str
    exam_id: str
    patient_id: str
    laterality: Laterality = Laterality.UNKNOWN
    view: View = View.UNKNOWN
    findings: tuple[Finding, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    landmarks: BreastLandmarks | None = None
    split: str | None = None
    refused: MammoError | None = None
    masked: tuple[MaskedFinding, ...] = ()
    pixel_spacing_mm: float | None = None
    film: FilmScan | None = None
    notes: tuple[str, ...] = ()
    sha256: str | None = None
    boxes_may_be_mirrored: bool = False
    manual_landmarks: Mapping[str, npt.NDArray[np.float64]] | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read to prepare the image: the file itself, then its masks and cut-outs."""
        return self.path, *(path for finding in self.masked for path in finding.files)


VIEW_MODIFIERS = 'view_modifiers'
"""Label of an image: what its file says of an unusual exposure, such as ``'tangential'``; absent of plain views."""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """One image of a prepared set; see docs/conventions.md for the coordinate rules.

    Args:
        image_id: COCO image id.
        file_name: Relative to ``<set>/images``.
        affine: Prepared pixel from source pixel.
        findings: In prepared pixels.
        landmarks: In prepared pixels (chest wall on the left).
        source: ``{'path': relative path, 'sha256': hex}`` of the file it came from; ``'resolution'``, e.g. ``'1/2'``,
            where it was decoded at a lower one.
    """

    image_id: int
    file_name: str
    width: int
    height: int
    exam_id: str
    patient_id: str
    laterality: Laterality
    view: View
    affine: Affine
    pixel_spacing_mm: float | None = None
    landmarks: BreastLandmarks | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def quality(self) -> float:
        """What repeats of a view are chosen by: the confidence in the landmarks, 0 without.

        It is less by 1 for what its file calls a modified view (rolled, tangential, implant displaced, ...), which
        comes after any plain one.
        """
        confidence = 0.0 if self.landmarks is None else self.landmarks.confidence
        return confidence - 1.0 if self.labels.get(VIEW_MODIFIERS) else confidence


def pair_views(
    exam_ids: Sequence[str],
    lateralities: Sequence[str],
    views: Sequence[str],
    qualities: Sequence[float] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find each image's partners among the images of a batch.

    The rule of docs/conventions.md: the ipsilateral partner is the other standard projection of the same breast, the
    contralateral one the same projection of the other breast, both of the same exam. A missing partner is -1. Of
    repeats the one of highest quality is the partner (the first among equals). Non-standard projections and images of
    unknown side neither have nor are partners.

    Args:
        exam_ids: One per image.
        lateralities: ``'L'``, ``'R'`` or ``'U'`` per image.
        views: View abbreviation per image.
        qualities: Decides between repeats; all equal by default.

    Returns:
        ``(ipsilateral, contralateral)``, each (n,) indices into the batch, or -1.
    """
    scores = [0.0] * len(exam_ids) if qualities is None else list(qualities)
    best: dict[tuple[str, str, str], int] = {}
    for i, key in enumerate(zip(exam_ids, lateralities, views, strict=True)):
        if key[1] in ('L', 'R') and key[2] in STANDARD_VIEWS and (key not in best or scores[i] > scores[best[key]]):
            best[key] = i
    ipsilateral = np.full(len(exam_ids), -1, dtype=np.int64)
    contralateral = ipsilateral.copy()
    for i, (exam, side, view) in enumerate(zip(exam_ids, lateralities, views, strict=True)):
        if side in ('L', 'R') and view in STANDARD_VIEWS:
            ipsilateral[i] = best.get((exam, side, View(view).partner), -1)
            contralateral[i] = best.get((exam, Laterality(side).other, view), -1)
    return ipsilateral, contralateral
