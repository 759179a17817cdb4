"""Prepared images and their findings as COCO entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmmammo.structures import Affine, BreastLandmarks, Finding, Laterality, PreparedImage, View

_PLAIN_KEYS = ('file_name', 'width', 'height', 'exam_id', 'patient_id', 'pixel_spacing_mm', 'labels', 'source')


def image_to_json(image: PreparedImage) -> dict[str, Any]:
    """The entry of ``images``; findings are entries of their own."""
    return {
        'id': image.image_id,
        **{key: getattr(image, key) for key in _PLAIN_KEYS},
        'laterality': image.laterality.value,
        'view': image.view.value,
        'affine': image.affine.to_list(),
        'landmarks': None if image.landmarks is None else image.landmarks.to_json(),
    }


def image_from_json(image: Mapping[str, Any], findings: Sequence[Finding]) -> PreparedImage:
    """The inverse of :func:`image_to_json`."""
    landmarks = image['landmarks']
    return PreparedImage(
        image_id=image['id'],
        **{key: image[key] for key in _PLAIN_KEYS},
        laterality=Laterality(image['laterality']),
        view=View(image['view']),
        affine=Affine.from_list(image['affine']),
        landmarks=None if landmarks is None else BreastLandmarks.from_json(landmarks),
        findings=tuple(findings),
    )


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """The entry of ``annotations``, but for ``id``, ``image_id`` and ``category_id``; a box is its own outline."""
    x1, y1, x2, y2 = map(float, finding.bbox)
    outlines = finding.polygons or (np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]),)
    return {
        'bbox': [x1, y1, x2 - x1, y2 - y1],
        'area': float(sum(_area(outline) for outline in outlines)),
        'iscrowd': 0,
        'segmentation': [np.asarray(outline, dtype=float).ravel().tolist() for outline in outlines],
        'lesion_id': finding.lesion_id,
        'pathology': finding.pathology,
        'birads': finding.birads,
        'attributes': dict(finding.attributes),
    }


def finding_from_json(annotation: Mapping[str, Any], category: str) -> Finding:
    """The inverse of :func:`finding_to_json`; a box written as its own outline comes back as that outline."""
    x, y, w, h = annotation['bbox']
    return Finding(
        bbox=(x, y, x + w, y + h),
        category=category,
        lesion_id=annotation['lesion_id'],
        pathology=annotation['pathology'],
        birads=annotation['birads'],
        polygons=tuple(np.array(outline, dtype=float).reshape(-1, 2) for outline in annotation['segmentation']),
        attributes=annotation['attributes'],
    )


def _area(outline: Any) -> float:
    """Shoelace formula, in square pixels."""
    x, y = np.asarray(outline, dtype=float).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
