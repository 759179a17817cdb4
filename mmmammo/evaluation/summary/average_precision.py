"""Average precision with intervals: matched once per class and IoU, then only weighed again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    AVG7_IOUS,
    AVG8_IOUS,
    Matches,
    flatten_predictions,
    match_detections,
    match_size,
    percentile_interval,
    precision_reader,
    resampled_counts,
)
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.numbers import LEVEL, Number, with_interval
from mmmammo.io.detection_files import DetectionSet

IOUS = AVG8_IOUS
MEANS = {'mean7_0.20-0.80': AVG7_IOUS, 'mean8_0.20-0.90': AVG8_IOUS}
"""Paper 0 prints both as "Avg"."""
NAMES = (*(f'{iou:.2f}' for iou in IOUS), *MEANS)
"""Of what a reader gives."""
WeightReader = Callable[[npt.NDArray[np.floating | np.integer]], npt.NDArray[np.float64]]
"""(images,) how often each image counts -> numbers."""


def average_precision_numbers(data: DetectionSet, settings: DetectionSettings) -> list[Number]:
    """AP at IoU 0.2 to 0.9 and its two means, each the mean over the classes that occur.

    Args:
        data: Truth and detections.
        settings: Replicates, level and seed of the intervals.
    """
    read = average_precision_reader(class_matches(data))
    counts = {
        'images': len(data.images),
        'exams': len({image.exam_id for image in data.images}),
        'patients': len({image.patient_id for image in data.images}),
        'lesions': sum(len(image.gt_boxes) for image in data.images),
    }
    values = read(np.ones(len(data.images)))
    reason = None if counts['lesions'] else 'no lesion in the ground truth'
    words = [f'Average precision at IoU >= {iou:g}' for iou in IOUS]
    words += [f'Mean average precision over {len(ious)} IoUs, {ious[0]:g} to {ious[-1]:g}' for ious in MEANS.values()]
    keys = [f'ap/{name}' for name in NAMES]
    numbers = [
        Number(key, name, float(value), counts, reason) for key, name, value in zip(keys, words, values, strict=True)
    ]
    if not settings.bootstrap:
        return numbers
    groups = np.array([image.patient_id for image in data.images])
    replicates = np.stack([read(weights) for weights in resampled_counts(groups, settings.bootstrap, settings.seed)])
    return with_interval(numbers, percentile_interval(values, replicates, LEVEL, len(np.unique(groups))))


def class_matches(data: DetectionSet) -> list[list[Matches]]:
    """Matches of each class at each IoU of :data:`IOUS`; only detections and lesions of the class count."""
    flat = [flatten_predictions([image.of_label(i) for image in data.images]) for i in range(len(data.categories))]
    return [[match_detections(boxes, 'iou', iou, inclusive=True) for iou in IOUS] for boxes in flat]


def size_matches(data: DetectionSet, least: float, greatest: float) -> list[list[Matches]]:
    """Matches at each IoU of :data:`IOUS` in which only lesions of a size count; classes aside, so of one row.

    Args:
        data: Truth and detections.
        least: Side in pixels from which on a lesion counts.
        greatest: Side up to which it counts.
    """
    flat = flatten_predictions(data.images)
    return [[match_size(flat, iou, least, greatest) for iou in IOUS]]


def average_precision_reader(per_class: Sequence[Sequence[Matches]]) -> WeightReader:
    """What reads the average precisions of weighted images: (IoUs + means,); nan without lesions.

    Args:
        per_class: Of :func:`class_matches` or :func:`size_matches`; or those of two models side by side.
    """
    readers = [[precision_reader(matches) for matches in row] for row in per_class]

    def read(weights: npt.NDArray[np.floating | np.integer]) -> npt.NDArray[np.float64]:
        rows = np.array([[one(weights) for one in row] for row in readers])
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', RuntimeWarning)  # no class occurs: nan, as it should be
            at_iou: npt.NDArray[np.float64] = np.nanmean(rows, axis=0) if len(rows) else np.full(len(IOUS), np.nan)
        means = [at_iou[[IOUS.index(iou) for iou in ious]].mean() for ious in MEANS.values()]
        return np.append(at_iou, means)

    return read
