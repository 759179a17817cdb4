"""Names and numbers burnt into the air beside the breast.

A network learns from them who made the image. They are small, bright, and apart from the breast and the chest
wall; whatever touches an annotation is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.io.elements import label
from mmmammo.prepare.gate.decisions import Fault, Gate
from mmmammo.preprocessing import SmallCopy
from mmmammo.structures import Finding, Laterality, MammogramMeta, Problem

FloatImage = npt.NDArray[np.floating]

_BRIGHTNESS = 0.4  # of the way from the air to the brightest of the breast
_LARGEST = 0.01  # of the image; what is larger is a collimator's edge or tissue
_AT_WALL = 0.05  # of the width, along the chest wall, where the abdomen may show
_FEWEST_PIXELS = 3
_APART = 0.02  # of the longer side; nearer to the breast it may be skin
_RIM = 2  # pixels of the small image around a mark, for its soft edge


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks of one image.

    Args:
        mask: (h, w) of the small image.
        count: Separate parts, such as letters.
        factor: Pixels of the image per pixel of the mask.
    """

    mask: npt.NDArray[np.bool_]
    count: int
    factor: int


def blank_marks(
    pixels: FloatImage, small: SmallCopy, findings: Sequence[Finding], meta: MammogramMeta, gate: Gate
) -> FloatImage:
    """Find burnt-in marks and do what the policy says; mending sets them to the air around them.

    Args:
        pixels: (h, w) in [0, 1].
        small: Copy of them.
        findings: In these pixels.
        meta: Of the file, which may say that something is burnt in.
        gate: Decides.

    Returns:
        The image, or a copy without the marks.

    Raises:
        MammoError: If the image is to be left out.
    """
    marks = find_marks(small, findings)
    if marks.count:
        found, field = f'{marks.count} bright marks beside the breast', 'pixel values'
    elif meta.attributes.get('burned_in_annotation'):
        found, field = 'YES, but no mark beside the breast', label('BurnedInAnnotation')
    else:
        return pixels
    fault = Fault(
        Problem.BURNED_IN,
        field,
        found,
        'nothing but air beside the breast',
        'export the image without annotations',
        mended='set to the air around them' if marks.count else '',
    )
    return without(pixels, marks) if gate.decide(fault) else pixels


def film_fault(parts: Sequence[str]) -> Fault:
    """The fault of a scanned film on which more than the breast can be seen: its edges, labels, tape."""
    return Fault(
        Problem.BURNED_IN,
        'pixel values',
        f'{", ".join(parts)} of the film',
        'nothing but air beside the breast',
        'none is needed: films are like that',
        mended='set to the background',
    )


def find_marks(copy: SmallCopy, findings: Sequence[Finding] = ()) -> Marks:
    """Small bright components apart from the breast and from every finding.

    Args:
        copy: Of an image with the breast bright on dark.
        findings: In pixels of the image.
    """
    small, factor, breast = copy.pixels, copy.factor, copy.breast
    if not breast.any() or breast.all():
        return Marks(np.zeros(small.shape, dtype=bool), 0, factor)
    air, white = float(np.median(small[~breast])), float(np.percentile(small[breast], 99))
    bright = (small > air + _BRIGHTNESS * max(white - air, 0.02)).astype(np.uint8)
    taboo = _near(breast, round(_APART * max(small.shape)))
    wall = max(1, round(_AT_WALL * small.shape[1]))
    taboo[:, np.s_[:wall] if copy.side is Laterality.LEFT else np.s_[-wall:]] = True
    for finding in findings:
        x1, y1, x2, y2 = (np.array(finding.bbox) / factor).astype(int).tolist()
        taboo[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1] = True
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    marked = (area >= _FEWEST_PIXELS) & (area <= _LARGEST * small.size)
    marked[np.unique(labels[taboo])] = False
    marked[0] = False
    return Marks(np.asarray(marked[labels], dtype=bool), int(marked.sum()), factor)


def without(pixels: FloatImage, marks: Marks) -> FloatImage:
    """A copy in which the marks have the level of the air around each."""
    clean = np.array(pixels)
    rim = _near(marks.mask, _RIM)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(rim.astype(np.uint8), connectivity=8)
    for number, (x, y, w, h) in enumerate(stats[1:, :4].tolist(), start=1):
        small = np.s_[y : y + h, x : x + w]
        large = _magnified(small, marks.factor)
        margin = max(w, h)
        around = np.s_[max(y - margin, 0) : y + h + margin, max(x - margin, 0) : x + w + margin]
        mark = np.kron(labels[small] == number, np.ones((marks.factor, marks.factor), dtype=bool))
        clean[large][mark] = np.median(pixels[_magnified(around, marks.factor)])
    return clean


def _magnified(box: tuple[slice, slice], factor: int) -> tuple[slice, slice]:
    """The same box in pixels of the image."""
    rows, columns = box
    return np.s_[rows.start * factor : rows.stop * factor, columns.start * factor : columns.stop * factor]


def _near(mask: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    """The mask and everything up to so many rows and columns from it."""
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
