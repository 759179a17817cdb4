"""Annotations from source pixels to prepared pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mmmammo.prepare.gate.decisions import Fault
from mmmammo.structures import Affine, Finding, ImageRecord, Problem

_ROUNDING_PX = 1.0
_LEAST_INSIDE = 0.5


def check_findings(record: ImageRecord, shape: tuple[int, ...]) -> Iterator[Fault]:
    """Find annotations that reach over the border by more than a pixel, and refuse those that are not of this image.

    Args:
        record: Findings in source pixels.
        shape: (h, w) of the source image.

    Raises:
        MammoError: If a box is empty or inside out, or half of it or more lies outside the image: nothing can mend it,
            and without it the image would be called healthy.
    """
    for finding in record.findings:
        inside = _share_inside(np.array(finding.bbox, dtype=float), shape)
        fault = Fault(
            Problem.ANNOTATION,
            f'annotation ({finding.category}), bbox (x1, y1, x2, y2)',
            str(tuple(round(float(v), 2) for v in finding.bbox)),
            f'a box inside the {shape[1]} x {shape[0]} image',
            'correct the annotation; boxes are in pixels of the source file',
        )
        if not inside > _LEAST_INSIDE:  # also true of nan
            raise fault.refusal(record.relative_path, final=True)
        if not fits(finding.bbox, shape, _ROUNDING_PX):
            found = f'({finding.category}) over the border of the image, {inside:.0%} of it is inside'
            yield replace(fault, found=found, mended='clipped')


def fits(boxes: npt.ArrayLike, shape: tuple[int, ...], slack: float = 0) -> bool:
    """Whether (n, 4) xyxy boxes lie in an image of (h, w), up to ``slack`` pixels."""
    array = np.reshape(np.asarray(boxes, dtype=float), (-1, 4))
    low, high = array[:, :2], array[:, 2:] - [shape[1], shape[0]]
    return bool((low >= -slack).all() and (high <= slack).all())


def clipped(finding: Finding, shape: tuple[int, ...]) -> Finding:
    """The part of the finding inside an image of (h, w)."""
    height, width = shape[0], shape[1]
    x1, y1, x2, y2 = np.clip(finding.bbox, 0, (width, height, width, height)).tolist()
    outlines = tuple(np.clip(outline, 0, (width, height)) for outline in finding.polygons)
    return replace(finding, bbox=(x1, y1, x2, y2), polygons=outlines)


def mapped(finding: Finding, affine: Affine) -> Finding:
    """The finding after the image went through ``affine``."""
    x1, y1, x2, y2 = affine.boxes(finding.bbox).tolist()
    return replace(finding, bbox=(x1, y1, x2, y2), polygons=tuple(affine.points(p) for p in finding.polygons))


def _share_inside(box: npt.NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """Part of the area of a box that lies in the image; nan for a box that is empty or inside out."""
    size = box[2:] - box[:2]
    if not (size > 0).all():
        return float('nan')
    kept = np.clip(box, 0, (shape[1], shape[0], shape[1], shape[0]))
    return float(np.prod((kept[2:] - kept[:2]) / size))
