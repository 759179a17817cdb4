"""Metrics of several trainings of a model, read again on patients that are drawn or exchanged.

What is resampled is the mean over the trainings: an interval then tells what another set of patients would have shown
of these trainings, and the spread over seeds, which is given beside it, what other trainings would have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from mmmammo.evaluation.functional import Interval, PairedDifference
from mmmammo.experiments.anchor_trainings import read_anchor_trainings
from mmmammo.experiments.detection_trainings import read_detection_trainings
from mmmammo.experiments.localisation_trainings import read_localisation_trainings
from mmmammo.experiments.runs import ANCHORS, LOCALISATION, METRICS, PREDICTIONS, SCORES, Run
from mmmammo.experiments.score_trainings import read_score_trainings


class Trainings(Protocol):
    """What the trainings of one row left of one kind: detections, scores, how well maps meet lesions, or anchors."""

    source: ClassVar[str]
    """The file it is read from."""

    @property
    def keys(self) -> tuple[str, ...]: ...  # noqa: D102 - metrics that can be read again

    @property
    def counts(self) -> dict[str, int]: ...  # noqa: D102 - what the numbers stand on

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal."""
        ...

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn."""
        ...

    def minus(self, other: Any, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        ...


_READERS: dict[str, Callable[..., Trainings | None]] = {
    'detections': read_detection_trainings,
    'scores': read_score_trainings,
    'localisation': read_localisation_trainings,
    'anchors': read_anchor_trainings,
}
_FILES = {'froc/': PREDICTIONS, 'ap/': PREDICTIONS, 'localisation/': LOCALISATION, 'atd/': ANCHORS}
"""Beginning of a metric -> what it is read off; all others are read off the scores."""


def read_metrics(run: Run) -> dict[str, Any]:
    """The document that ``tools/test.py`` wrote."""
    document: dict[str, Any] = json.loads((run.folder / METRICS).read_text(encoding='utf-8'))
    return document


def read_trainings(
    runs: Sequence[Run], keys: Sequence[str], like: Mapping[str, Trainings] | None = None
) -> dict[str, Trainings]:
    """Kind -> what complete runs kept of it.

    Args:
        runs: Of one row.
        keys: Metrics of the plan; each is read off the first kind that has it.
        like: Trainings of the row that others are compared with; the images must be the same.

    Raises:
        MammoError: If the runs were tested on different images.
    """
    found: dict[str, Trainings] = {}
    for kind, read in _READERS.items():
        taken = {key for trainings in found.values() for key in trainings.keys}
        trainings = read(runs, [key for key in keys if key not in taken], (like or {}).get(kind))
        if trainings is not None:
            found[kind] = trainings
    return found


def comparable(mine: Trainings, other: Trainings) -> list[str]:
    """Keys that both have, judged by the same rule."""
    return [key for key in mine.keys if key in other.keys and mine.rule(key) == other.rule(key)]


def why_not_drawn(runs: Sequence[Run], key: str) -> str:
    """Why a metric that no kind of trainings has cannot be read again on patients that are drawn.

    Args:
        runs: Complete ones, of one row.
        key: Of the metric.
    """
    file = next((file for prefix, file in _FILES.items() if key.startswith(prefix)), SCORES)
    without = [run.name for run in runs if not (run.folder / file).is_file()]
    if without:
        return f'no interval: the test left no {file}'
    if file == SCORES:
        return f'no interval: {METRICS} does not say how to read it off {file}'
    return f'no interval: {file} names no patients, or holds nothing of it'
