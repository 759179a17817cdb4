"""What is known about an exam, as JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.placement import PlacedLesion
from mmmammo.structures import Finding

_GOLDEN = 0.6180339887498949


def exam_to_json(exam: PhantomExam, split: str) -> dict[str, Any]:
    """Everything ``truth.json`` holds but the fingerprint of the set."""
    return {
        'exam_id': exam.exam_id,
        'patient_id': exam.patient_id,
        'split': split,
        'seed': exam.seed,
        'index': exam.index,
        'vendor': exam.vendor.name,
        'age': exam.woman.age,
        'density': exam.woman.density,
        'gland_fraction': round(exam.woman.gland_fraction, 4),
        'lesions': [_lesion_to_json(x) for x in exam.lesions],
        'views': [_view_to_json(exam, view) for view in exam.views],
    }


def draw_split(fractions: tuple[float, float, float], seed: int, index: int) -> str:
    """Split of one woman, from seed and index alone.

    A golden-ratio sequence with a random start, so that every run of consecutive exams is divided nearly as wanted
    and a set may be extended later without moving anybody.
    """
    start = np.random.default_rng([seed, 0x5B117]).uniform()
    position = (start + index * _GOLDEN) % 1.0 * sum(fractions)
    bounds = np.cumsum(fractions)
    return ('train', 'val', 'test')[min(int(np.searchsorted(bounds, position, side='right')), 2)]


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Plain values; coordinates in hundredths of a pixel."""
    data = asdict(finding)
    data['bbox'] = np.round(finding.bbox, 2).tolist()
    data['polygons'] = [np.round(polygon, 2).tolist() for polygon in finding.polygons]
    data['attributes'] = dict(finding.attributes)
    return data


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    """The inverse of :func:`finding_to_json`."""
    polygons = tuple(np.array(polygon, dtype=np.float64) for polygon in data['polygons'])
    x1, y1, x2, y2 = data['bbox']
    return Finding(**{**data, 'bbox': (x1, y1, x2, y2), 'polygons': polygons})


def _lesion_to_json(placed: PlacedLesion) -> dict[str, Any]:
    lesion = placed.lesion
    return {
        'lesion_id': placed.lesion_id,
        'laterality': str(placed.laterality),
        'views': [str(view) for view in placed.views],
        'decoy': placed.decoy,
        'category': lesion.category,
        'pathology': lesion.pathology,
        'centre_mm': np.round(lesion.centre, 3).tolist(),
        'radius_mm': round(lesion.radius, 3),
        'contrast': round(lesion.contrast, 3),
        'attributes': dict(lesion.attributes),
    }


def _view_to_json(exam: PhantomExam, view: PhantomView) -> dict[str, Any]:
    projection = view.projection
    origin = projection.project(np.zeros(3))
    return {
        'file': f'{view.name}.dcm',
        'laterality': str(view.laterality),
        'view': str(view.view),
        'height': view.image.shape[0],
        'width': view.image.shape[1],
        'pixel_spacing_mm': projection.spacing_mm,
        'angle_deg': round(view.angle_deg, 3),
        'thickness_mm': round(projection.breast.thickness, 2),
        'px_from_breast_mm': np.column_stack([(projection.project(np.eye(3)) - origin).T, origin]).tolist(),
        'labels': dict(exam.labels(view.laterality)),
        'findings': [finding_to_json(x) for x in view.findings],
        'decoys': [finding_to_json(x) for x in view.decoys],
        'landmarks': view.landmarks.to_json(),
    }
