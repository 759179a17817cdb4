"""What keeps a readable image out of a prepared set, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mmmammo.structures import ImageRecord, Laterality, MammoError, Mammogram, View

_FEWEST_GREYS = 16
_SATURATED_FRACTION = 0.3
_BOX_TOLERANCE_PX = 1.0


def check_pixels(record: ImageRecord, mammogram: Mammogram) -> None:
    """Refuse masks and saturated images.

    Raises:
        MammoError: If the image has hardly any grey values, or is mostly at full white.
    """
    pixels = mammogram.pixels
    sample = pixels[:: max(1, pixels.shape[0] // 512), :: max(1, pixels.shape[1] // 512)]
    greys = len(np.unique(sample))
    if greys < _FEWEST_GREYS:
        raise MammoError(
            record.relative_path,
            field='pixel values',
            found=f'{greys} different grey values',
            expected=f'a mammogram, with at least {_FEWEST_GREYS}',
            remedy='leave masks and overlays out of the exam folder',
        )
    white = float((sample >= 1).mean())
    if white > _SATURATED_FRACTION:
        raise MammoError(
            record.relative_path,
            field='pixel values',
            found=f'{white:.0%} of the image at full white',
            expected=f'at most {_SATURATED_FRACTION:.0%}',
            remedy='export the image again with its own window, or leave it out',
        )


def check_findings(record: ImageRecord, shape: tuple[int, int]) -> None:
    """Refuse annotations that do not lie in the image.

    Args:
        record: Findings in source pixels.
        shape: (h, w) of the source image.

    Raises:
        MammoError: If a box is empty or inside out, or lies outside the image by more than a pixel.
    """
    height, width = shape
    for finding in record.findings:
        x1, y1, x2, y2 = finding.bbox
        slack = _BOX_TOLERANCE_PX
        if not (-slack <= x1 < x2 <= width + slack and -slack <= y1 < y2 <= height + slack):
            raise MammoError(
                record.relative_path,
                field=f'annotation ({finding.category}), bbox (x1, y1, x2, y2)',
                found=tuple(round(float(v), 2) for v in finding.bbox),
                expected=f'a box inside the {width} x {height} image',
                remedy='correct the annotation; boxes are in pixels of the source file',
            )


def warnings_of(mammogram: Mammogram, laterality: Laterality, view: View, confidence: float | None) -> Iterator[str]:
    """What is worth telling about an accepted image."""
    if mammogram.meta.bits_stored is not None and mammogram.meta.bits_stored <= 8:
        yield '8-bit: subtle contrast is lost; use the original DICOM'
    if laterality is Laterality.UNKNOWN:
        yield 'unknown laterality: not paired'
    if view is View.UNKNOWN:
        yield 'unknown view: not paired'
    elif view is View.AT or mammogram.meta.view_modifiers:
        yield f'special view: {", ".join(mammogram.meta.view_modifiers) or view}'
    if confidence is None:
        yield 'no landmarks found: looked at without its partners'
    elif confidence < 0.5:
        yield f'landmarks uncertain ({confidence:.2f})'


def crop_findings_box(bbox: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Clip an xyxy box to an image of (h, w)."""
    height, width = shape
    clipped: npt.NDArray[np.float64] = np.clip(bbox, 0, (width, height, width, height))
    return clipped
