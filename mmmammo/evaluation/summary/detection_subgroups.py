"""FROC of subgroups: always the same tables, whatever the set knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmmammo.evaluation.functional import Matches, SubgroupRow, bands, froc_subgroups, lesion_diameters_mm
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.io.detection_files import DetectionSet
from mmmammo.structures import Laterality, View

AGE_EDGES = (40, 50, 60, 70)
_SIZE_EDGES_MM = (5, 10, 20, 50)
_ALWAYS = {
    'view': ('CC', 'MLO'),
    'laterality': ('L', 'R'),
    'density': ('A', 'B', 'C', 'D'),
    'pathology': ('benign', 'malignant'),
}
"""Labels that have a row whether or not they occur."""
_UNKNOWN = (View.UNKNOWN.value, Laterality.UNKNOWN.value)
VENDOR_KEYS = ('vendor', 'manufacturer', 'machine')
SET_KEY = 'set'
"""Label of the images of merged sets."""


def detection_subgroups(data: DetectionSet, matches: Matches, settings: DetectionSettings) -> list[SubgroupRow]:
    """Recall at each FPI and the area, subgroup by subgroup; the first row is of all.

    By view, laterality, density, vendor and age of the image, and by size, pathology and class of the lesion. A table
    about which the set says nothing has its rows all the same; what there is, is in ``unknown``. Images of several
    sets (``tools/merge_sets.py``) have a table of these, too.

    Args:
        data: Truth, detections and labels.
        matches: Of these images.
        settings: Replicates, level and seed of the intervals.
    """
    images = data.images
    ages, age_names = bands(_numbers(data.image_labels, 'age'), AGE_EDGES, 'years')
    sizes, size_names = bands(_diameters(data), _SIZE_EDGES_MM, 'mm')
    by_image = {
        'view': [_known(image.view) for image in images],
        'laterality': [_known(image.laterality) for image in images],
        'density': _labels(data.image_labels, ('density',)),
        'vendor': _labels(data.image_labels, VENDOR_KEYS),
        'age': ages,
        **_origins(data),
    }
    by_lesion = {
        'size': sizes,
        'pathology': _labels(data.lesion_labels, ('pathology',)),
        'class': _labels(data.lesion_labels, ('class',)),
    }
    found = by_image | by_lesion
    return froc_subgroups(
        matches,
        [image.patient_id for image in images],
        image_columns=by_image,
        lesion_columns=by_lesion,
        values={name: sorted({*labels, *found[name]} - {''}) for name, labels in _ALWAYS.items()}
        | {'age': age_names, 'size': size_names, 'class': _class_names(data, found['class'])},
        exams=[image.exam_id for image in images],
        fps_per_image=settings.all_fps,
        n=max(settings.bootstrap, 1),
        seed=settings.seed,
    )


def _origins(data: DetectionSet) -> dict[str, list[str]]:
    """The prepared set that each image is from, if there are several."""
    sets = _labels(data.image_labels, (SET_KEY,))
    return {SET_KEY: sets} if len({*sets} - {''}) > 1 else {}


def _class_names(data: DetectionSet, found: Sequence[str]) -> list[str]:
    """The set's classes, then what else its annotations call lesions: a localiser has one class for all of them."""
    return list(dict.fromkeys([*data.categories, *sorted(filter(None, found))]))


def _known(label: str) -> str:
    return '' if label in _UNKNOWN else label


def _labels(entries: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    """The first of the keys that an entry has, as text; empty where none."""
    found = [next((entry[key] for key in keys if entry.get(key) is not None), '') for entry in entries]
    return [f'{value:g}' if isinstance(value, float) else str(value) for value in found]


def _numbers(entries: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    values = [entry.get(key) for entry in entries]
    return [float(value) if isinstance(value, int | float) else np.nan for value in values]


def _diameters(data: DetectionSet) -> list[float]:
    """Longer side of each lesion in mm; nan where the image's spacing is not known."""
    spacing = [image.pixel_spacing_mm or np.nan for image in data.images for _ in image.gt_boxes]
    boxes = [box for image in data.images for box in image.gt_boxes]
    diameters: list[float] = lesion_diameters_mm(np.reshape(boxes, (-1, 4)), spacing).tolist()
    return diameters
