"""Detections of several trainings of a model, judged again on patients that are drawn or exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    Interval,
    Matches,
    PairedDifference,
    bootstrap_ci,
    match_images,
    mixed_readings,
    paired_difference,
    side_by_side,
)
from mmmammo.evaluation.functional.froc_intervals import froc_readings
from mmmammo.evaluation.summary import DetectionSettings, on_same_images
from mmmammo.evaluation.summary.average_precision import IOUS, MEANS, class_matches, read_average_precision
from mmmammo.evaluation.summary.detections import counts_of, patients_of
from mmmammo.experiments.runs import METRICS, PREDICTIONS, Run
from mmmammo.io.detection_files import DetectionSet, read_detection_set

Reader = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""(images,) weights -> (keys,) numbers."""

_RECALL = 'froc/recall@'
_FAUC = 'froc/fauc'
_AP = [*(f'ap/{iou:.2f}' for iou in IOUS), *(f'ap/{name}' for name in MEANS)]


@dataclass(frozen=True, eq=False)
class DetectionTrainings:
    """The detections of one model's trainings on the same images.

    Args:
        sets: One per training.
        keys: Metrics that detections on resampled images have: recalls at false positives per image, the area below
            them, average precisions.
        settings: How detections are judged.
    """

    sets: tuple[DetectionSet, ...]
    keys: tuple[str, ...]
    settings: DetectionSettings

    source = PREDICTIONS

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal."""
        return self.settings.as_dict() if key.startswith('froc/') else None

    @property
    def patients(self) -> list[str]:
        """Of each image."""
        return patients_of(self.sets[0].images)

    @property
    def counts(self) -> dict[str, int]:
        """What the numbers stand on."""
        return counts_of(self.sets[0].images)

    @cached_property
    def matches(self) -> list[tuple[Matches, list[list[Matches]]]]:
        """Of each training: for FROC, and per class and IoU for average precision."""
        with_ap = any(key in _AP for key in self.keys)
        return [
            (match_images(data.images, **self.settings.rules), class_matches(data) if with_ap else [])
            for data in self.sets
        ]

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn."""
        read = _mean([_reader(self.keys, (froc,), per_class) for froc, per_class in self.matches])
        num_images = len(self.patients)
        return bootstrap_ci(lambda rows: read(np.bincount(rows, minlength=num_images)), self.patients, n)

    def minus(self, other: DetectionTrainings, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        pairs = [
            (
                (mine[0], theirs[0]),
                [
                    [side_by_side(*pair) for pair in zip(*rows, strict=True)]
                    for rows in zip(mine[1], theirs[1], strict=True)
                ],
            )
            for mine, theirs in zip(self.matches, other.matches, strict=True)
        ]
        read = _mean([_reader(self.keys, *pair) for pair in pairs])
        num_images = 2 * len(self.patients)
        return paired_difference(lambda rows: read(np.bincount(rows, minlength=num_images)), self.patients, n)


def read_detection_trainings(
    runs: Sequence[Run], keys: Sequence[str], like: DetectionTrainings | None = None
) -> DetectionTrainings | None:
    """The detections of complete runs; ``None`` where a run kept none, or no key can be read off them.

    Args:
        runs: Of one row.
        keys: Metrics of the plan; those that detections do not have are left out.
        like: Trainings whose images and truth the runs must have.

    Raises:
        MammoError: If the runs were tested on different images.
    """
    paths = [run.folder / PREDICTIONS for run in runs]
    known = tuple(key for key in keys if key.startswith(_RECALL) or key in (_FAUC, *_AP))
    if not known or not runs or not all(path.is_file() for path in paths):
        return None
    sets = [read_detection_set(path) for path in paths]
    names = [run.name for run in runs]
    if like:
        sets, names = [like.sets[0], *sets], ['the reference', *names]
    aligned = on_same_images(sets, names)[1 if like else 0 :]
    return DetectionTrainings(tuple(aligned), known, settings_of(runs[0].folder / METRICS))


def settings_of(path: Path) -> DetectionSettings:
    """How the test judged detections, from its metrics file."""
    said = json.loads(path.read_text(encoding='utf-8')).get('settings', {})
    known = {field.name: said[field.name] for field in fields(DetectionSettings) if field.name in said}
    return DetectionSettings(**known | {'fps_per_image': tuple(known['fps_per_image'])} if known else {})


def _reader(keys: Sequence[str], froc: Sequence[Matches], per_class: list[list[Matches]]) -> Reader:
    """Of one model, or of two side by side."""
    fps = [float(key.removeprefix(_RECALL)) for key in keys if key.startswith(_RECALL)]
    names = [*(key for key in keys if key.startswith(_RECALL)), _FAUC, *_AP]
    places = [names.index(key) for key in keys]
    read_froc = mixed_readings(*froc, fps) if len(froc) > 1 else froc_readings(*froc, fps)

    def read(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        of_ap = read_average_precision(per_class, weights) if per_class else np.full(len(_AP), np.nan)
        return np.concatenate([read_froc(weights), of_ap])[places]

    return read


def _mean(readers: Sequence[Reader]) -> Reader:
    return lambda weights: np.mean([read(weights) for read in readers], axis=0)
