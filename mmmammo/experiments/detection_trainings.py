"""Detections of several trainings of a model, judged again on patients that are drawn or exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

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
from mmmammo.evaluation.summary.average_precision import (
    NAMES,
    average_precision_reader,
    class_matches,
    size_matches,
)
from mmmammo.evaluation.summary.detections import counts_of, patients_of
from mmmammo.experiments.runs import METRICS, PREDICTIONS, Run
from mmmammo.io.detection_files import DetectionSet, read_detection_set

Reader = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""(images,) weights -> (keys,) numbers."""

_RECALL = 'froc/recall@'
_FAUC = 'froc/fauc'
_AP = 'ap/'
_OF_SIZE = 'ap/size/'
SIZES = 'size_classes'
"""Among the settings of a metrics file: name of a size class -> least and greatest side of its lesions."""


@dataclass(frozen=True, eq=False)
class DetectionTrainings:
    """The detections of one model's trainings on the same images.

    Args:
        sets: One per training.
        keys: Metrics that detections on resampled images have: recalls at false positives per image, the area below
            them, average precisions, also of lesions of a size.
        settings: How detections are judged.
        sizes: Name -> least and greatest side of a lesion in prepared pixels.
    """

    sets: tuple[DetectionSet, ...]
    keys: tuple[str, ...]
    settings: DetectionSettings
    sizes: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    source = PREDICTIONS

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal."""
        if key.startswith('froc/'):
            return self.settings.as_dict()
        return self.sizes[_size_of(key)] if key.startswith(_OF_SIZE) else None

    @property
    def patients(self) -> list[str]:
        """Of each image."""
        return patients_of(self.sets[0].images)

    @property
    def counts(self) -> dict[str, int]:
        """What the numbers stand on."""
        return counts_of(self.sets[0].images)

    @cached_property
    def matches(self) -> list[tuple[Matches, dict[str, list[list[Matches]]]]]:
        """Of each training: for FROC; and for average precision, beginning of the keys -> per class and IoU."""
        return [(match_images(data.images, **self.settings.rules), self._for_ap(data)) for data in self.sets]

    def _for_ap(self, data: DetectionSet) -> dict[str, list[list[Matches]]]:
        """Of what the keys ask for."""
        found: dict[str, list[list[Matches]]] = {}
        for prefix in {_prefix_of(key): None for key in self.keys if key.startswith(_AP)}:
            if prefix == _AP:
                found[prefix] = class_matches(data)
            else:
                found[prefix] = size_matches(data, *self.sizes[_size_of(prefix)])
        return found

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn."""
        read = _mean([_reader(self.keys, (froc,), for_ap) for froc, for_ap in self.matches])
        num_images = len(self.patients)
        return bootstrap_ci(lambda rows: read(np.bincount(rows, minlength=num_images)), self.patients, n)

    def minus(self, other: DetectionTrainings, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        pairs = [
            ((mine[0], theirs[0]), {prefix: _both(mine[1][prefix], theirs[1][prefix]) for prefix in mine[1]})
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
    sizes = sizes_of(runs[0].folder / METRICS) if runs else {}
    prefixes = (_AP, *(f'{_OF_SIZE}{name}/' for name in sizes))
    of_ap = {f'{prefix}{name}' for prefix in prefixes for name in NAMES}
    known = tuple(key for key in keys if key.startswith(_RECALL) or key == _FAUC or key in of_ap)
    if not known or not runs or not all(path.is_file() for path in paths):
        return None
    sets = [read_detection_set(path) for path in paths]
    names = [run.name for run in runs]
    if like:
        sets, names = [like.sets[0], *sets], ['the reference', *names]
    aligned = on_same_images(sets, names)[1 if like else 0 :]
    return DetectionTrainings(tuple(aligned), known, settings_of(runs[0].folder / METRICS), sizes)


def settings_of(path: Path) -> DetectionSettings:
    """How the test judged detections, from its metrics file."""
    said = _said_settings(path)
    known = {one.name: said[one.name] for one in fields(DetectionSettings) if one.name in said}
    return DetectionSettings(**known | {'fps_per_image': tuple(known['fps_per_image'])} if known else {})


def sizes_of(path: Path) -> dict[str, tuple[float, float]]:
    """Size classes of the test, from its metrics file: name -> least and greatest side of a lesion."""
    return {name: (float(least), float(most)) for name, (least, most) in _said_settings(path).get(SIZES, {}).items()}


def _said_settings(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(path.read_text(encoding='utf-8')).get('settings', {})
    return said


def _prefix_of(key: str) -> str:
    """``'ap/'``, or ``'ap/size/small/'``."""
    return key[: key.rindex('/') + 1]


def _size_of(key: str) -> str:
    return _prefix_of(key)[len(_OF_SIZE) : -1]


def _both(mine: Sequence[Sequence[Matches]], theirs: Sequence[Sequence[Matches]]) -> list[list[Matches]]:
    """Two models side by side, per class and IoU."""
    return [[side_by_side(*pair) for pair in zip(*rows, strict=True)] for rows in zip(mine, theirs, strict=True)]


def _reader(keys: Sequence[str], froc: Sequence[Matches], for_ap: Mapping[str, list[list[Matches]]]) -> Reader:
    """Of one model, or of two side by side."""
    fps = [float(key.removeprefix(_RECALL)) for key in keys if key.startswith(_RECALL)]
    names = [f'{prefix}{name}' for prefix in for_ap for name in NAMES]
    readers: list[Reader] = [average_precision_reader(per_class) for per_class in for_ap.values()]
    if len(set(keys) - set(names)):
        names += [*(key for key in keys if key.startswith(_RECALL)), _FAUC]
        readers.append(mixed_readings(*froc, fps) if len(froc) > 1 else froc_readings(*froc, fps))
    places = [names.index(key) for key in keys]
    return lambda weights: np.concatenate([read(weights) for read in readers])[places]


def _mean(readers: Sequence[Reader]) -> Reader:
    return lambda weights: np.mean([read(weights) for read in readers], axis=0)
