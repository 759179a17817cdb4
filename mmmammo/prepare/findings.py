"""Annotations from source pixels to prepared pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mmmammo.structures import Affine, Finding, ImageRecord, MammoError

_ROUNDING_PX = 1.0
_LEAST_INSIDE = 0.5


def check_findings(record: ImageRecord, shape: tuple[int, int]) -> str:
    """Refuse annotations that are not of this image.

    Args:
        record: Findings in source pixels.
        shape: (h, w) of the source image.

    Returns:
        What has to be mended: boxes that reach over the border by more than a pixel; or ''.

    Raises:
        MammoError: If a box is empty or inside out, or half of it or more lies outside the image.
    """
    notes = []
    for finding in record.findings:
        inside = _share_inside(np.array(finding.bbox, dtype=float), shape)
        if not inside > _LEAST_INSIDE:  # also true of nan
            raise MammoError(
                record.relative_path,
                field=f'annotation ({finding.category}), bbox (x1, y1, x2, y2)',
                found=tuple(round(float(v), 2) for v in finding.bbox),
                expected=f'a box inside the {shape[1]} x {shape[0]} image',
                remedy='correct the annotation; boxes are in pixels of the source file',
            )
        if not fits(finding.bbox, shape, _ROUNDING_PX):
            notes.append(f'annotation ({finding.category}) clipped to the image, {inside:.0%} of it is inside')
    return '; '.join(notes)


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


def _share_inside(box: npt.NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Part of the area of a box that lies in the image; nan for a box that is empty or inside out."""
    size = box[2:] - box[:2]
    if not (size > 0).all():
        return float('nan')
    kept = np.clip(box, 0, (shape[1], shape[0], shape[1], shape[0]))
    return float(np.prod((kept[2:] - kept[:2]) / size))
