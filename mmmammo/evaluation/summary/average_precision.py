"""Average precision with intervals: matched once per class and IoU, then only weighed again."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    AVG7_IOUS,
    AVG8_IOUS,
    Matches,
    flatten_predictions,
    interpolated_precision,
    match_detections,
    percentile_interval,
    resampled_counts,
)
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.numbers import LEVEL, Number, with_interval
from mmmammo.io.detection_files import DetectionSet

IOUS = AVG8_IOUS
MEANS = {'mean7_0.20-0.80': AVG7_IOUS, 'mean8_0.20-0.90': AVG8_IOUS}
"""Paper 0 prints both as "Avg"."""


def average_precision_numbers(data: DetectionSet, settings: DetectionSettings) -> list[Number]:
    """AP at IoU 0.2 to 0.9 and its two means, each the mean over the classes that occur.

    Args:
        data: Truth and detections.
        settings: Replicates, level and seed of the intervals.
    """
    per_class = class_matches(data)
    counts = {
        'images': len(data.images),
        'exams': len({image.exam_id for image in data.images}),
        'patients': len({image.patient_id for image in data.images}),
        'lesions': sum(len(image.gt_boxes) for image in data.images),
    }
    values = read_average_precision(per_class, np.ones(len(data.images)))
    reason = None if counts['lesions'] else 'no lesion in the ground truth'
    words = [f'Average precision at IoU >= {iou:g}' for iou in IOUS]
    words += [f'Mean average precision over {len(ious)} IoUs, {ious[0]:g} to {ious[-1]:g}' for ious in MEANS.values()]
    keys = [*(f'ap/{iou:.2f}' for iou in IOUS), *(f'ap/{name}' for name in MEANS)]
    numbers = [
        Number(key, name, float(value), counts, reason) for key, name, value in zip(keys, words, values, strict=True)
    ]
    if not settings.bootstrap:
        return numbers
    groups = np.array([image.patient_id for image in data.images])
    replicates = np.stack(
        [
            read_average_precision(per_class, weights)
            for weights in resampled_counts(groups, settings.bootstrap, settings.seed)
        ]
    )
    return with_interval(numbers, percentile_interval(values, replicates, LEVEL, len(np.unique(groups))))


def class_matches(data: DetectionSet) -> list[list[Matches]]:
    """Matches of each class at each IoU of :data:`IOUS`; only detections and lesions of the class count."""
    flat = [flatten_predictions([image.of_label(i) for image in data.images]) for i in range(len(data.categories))]
    return [[match_detections(boxes, 'iou', iou, inclusive=True) for iou in IOUS] for boxes in flat]


def read_average_precision(
    per_class: list[list[Matches]], weights: npt.NDArray[np.floating | np.integer]
) -> npt.NDArray[np.float64]:
    """(IoUs + means,) of weighted images; nan without lesions."""
    rows = np.array([[interpolated_precision(matches, weights) for matches in row] for row in per_class])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # no class occurs: nan, as it should be
        at_iou: npt.NDArray[np.float64] = np.nanmean(rows, axis=0) if len(rows) else np.full(len(IOUS), np.nan)
    means = [at_iou[[IOUS.index(iou) for iou in ious]].mean() for ious in MEANS.values()]
    return np.append(at_iou, means)
