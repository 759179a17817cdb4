"""Out-of-fold detections: the files of all folds as one, and what the evaluator and the config's metrics say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from mmmammo.apis.run_results import detection_settings, metrics_of
from mmmammo.crossval.tables import OUT_OF_FOLD
from mmmammo.evaluation.metrics import APMetric, DetectionMetric, FROCMetric
from mmmammo.evaluation.summary import DetectionSummary, summarise_detections
from mmmammo.io.detection_files import read_detection_set, with_labels_of
from mmmammo.io.predictions import read_predictions, write_predictions
from mmmammo.structures import ImagePrediction, MammoError

_READ_OFF_BOXES = (FROCMetric, APMetric)
"""Metrics that need no more of an image than a predictions file has."""


def merge_detections(parts: Mapping[int, Path], out: Path) -> list[ImagePrediction]:
    """Write the images of all folds into one predictions file, in the order of their ids; whole or not at all.

    Args:
        parts: Fold -> its ``predictions.json``.
        out: The file to write.

    Returns:
        The images.

    Raises:
        MammoError: If a file is missing or faulty, classes differ, or an image or patient is in two folds.
    """
    home: dict[tuple[str, object], int] = {}
    merged: list[ImagePrediction] = []
    first: tuple[str, ...] | None = None
    for fold, path in sorted(parts.items()):
        images, categories = read_predictions(path)
        first = first or categories
        if categories != first:
            raise _error(path, 'categories', categories, f'{first}, as the first fold', 'make it again')
        for image in images:
            for what, name in (('image', image.image_id), ('patient', image.patient_id)):
                if home.setdefault((what, name), fold) != fold:
                    found = f'{what} {name}, also in fold {home[what, name]}'
                    remedy = 'remove the folder and run again'
                    raise _error(path, 'images', found, 'every patient in one fold', remedy)
        merged += images
    merged.sort(key=lambda image: image.image_id)
    write_predictions(out, merged, first or ())
    return merged


def summarise_folds(path: Path, cfg: Config, index_files: Sequence[Path]) -> DetectionSummary:
    """The evaluator's numbers of a merged file, by the protocol of the config's FROC.

    Args:
        path: See :func:`merge_detections`.
        cfg: What was cross-validated.
        index_files: Of all images, for the subgroups.

    Raises:
        MammoError: If a file cannot be read.
    """
    data = with_labels_of(read_detection_set(path), *index_files)
    return summarise_detections(replace(data, split=OUT_OF_FOLD), detection_settings(metrics_of_boxes(cfg)))


def logged_of_all(cfg: Config, images: Sequence[ImagePrediction], classes: Sequence[str]) -> dict[str, float]:
    """What the metrics of a config log of the images of all folds, as if one test had seen them.

    Args:
        cfg: The config.
        images: With their detections.
        classes: Class list.

    Returns:
        Of FROC and average precision; another metric needs what a predictions file does not have.
    """
    logged: dict[str, float] = {}
    for metric in metrics_of_boxes(cfg):
        metric.dataset_meta = {'classes': tuple(classes)}
        numbers = metric.score([image.above(metric.score_thr) for image in images])
        logged |= {f'{metric.prefix}/{key}': value for key, value in numbers.items()}
    return logged


def metrics_of_boxes(cfg: Config) -> list[DetectionMetric]:
    """The metrics of a config that can be read off a predictions file."""
    return [
        kind(**{key: value for key, value in evaluator.items() if key != 'type'})
        for evaluator, kind in zip(*metrics_of(cfg), strict=True)
        if issubclass(kind, _READ_OFF_BOXES)
    ]


def _error(path: Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
