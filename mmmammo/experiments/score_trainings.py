"""Scores of several trainings of a classifier, measured again on patients that are drawn or exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    Interval,
    PairedDifference,
    ScoreMeasure,
    patients_in,
    score_reader,
    weighted_bootstrap_ci,
    weighted_paired_difference,
)
from mmmammo.evaluation.functional.scored_units import columns_of, units_of
from mmmammo.evaluation.summary import on_same_rows
from mmmammo.experiments.runs import METRICS, SCORES, Run
from mmmammo.io.score_tables import ScoreTable, read_score_table

Reader = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""(r, patients) weights -> (r, keys) numbers."""


@dataclass(frozen=True, eq=False)
class ScoreTrainings:
    """The scores of one model's trainings on the same images.

    Args:
        tables: One per training.
        measures: Key -> how it is read off a table.
    """

    tables: tuple[ScoreTable, ...]
    measures: Mapping[str, ScoreMeasure]

    source = SCORES

    @property
    def keys(self) -> tuple[str, ...]:
        """In the order of the plan."""
        return tuple(self.measures)

    @property
    def counts(self) -> dict[str, int]:
        """What the numbers stand on."""
        table = self.tables[0]
        counts = {f'{table.level}s': len(table.ids)}
        if table.level == 'image' and all(table.exam_ids):
            counts['exams'] = len(set(table.exam_ids))
        return counts | {'patients': len(patients_in(table))}

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal: how each puts its images together does not matter.

        Numbers of all classes are compared between models of the same classes; those of groups of them, always. What
        counts as positive has to be the same.
        """
        measure, table = self.measures[key], self.tables[0]
        level = table.level if measure.level == 'row' else measure.level
        if measure.of_all:
            return level, measure.alike, None if measure.groups else table.classes
        return level, measure.alike, _positives(table, measure)

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn."""
        measures = tuple(self.measures.values())
        read = _mean([score_reader((measures, table)).of_weights for table in self.tables])
        return weighted_bootstrap_ci(read, patients_in(self.tables[0]), n)

    def minus(self, other: ScoreTrainings, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        mine, theirs = tuple(self.measures.values()), tuple(other.measures.values())
        readers = [
            score_reader((mine, first), (theirs, second)).of_weights
            for first, second in zip(self.tables, other.tables, strict=True)
        ]
        return weighted_paired_difference(_mean(readers), patients_in(self.tables[0]), n)


def read_score_trainings(
    runs: Sequence[Run], keys: Sequence[str], like: ScoreTrainings | None = None
) -> ScoreTrainings | None:
    """The scores of complete runs; ``None`` where a run kept none, or no key can be read off them.

    Args:
        runs: Of one row.
        keys: Metrics of the plan; those that ``metrics.json`` does not say how to read are left out.
        like: Trainings whose images the runs must have, and whose labels, if a number is of all classes.

    Raises:
        MammoError: If the runs were tested on different images, or do not agree in their labels.
    """
    paths = [run.folder / SCORES for run in runs]
    if not runs or not all(path.is_file() for path in paths):
        return None
    said: dict[str, Any] = json.loads((runs[0].folder / METRICS).read_text(encoding='utf-8')).get('measures', {})
    measures = {key: ScoreMeasure.of(said[key]) for key in keys if key in said}
    if not measures:
        return None
    tables = [read_score_table(path, strict=True) for path in paths]
    names = [run.name for run in runs]
    aligned = on_same_rows(tables, names)
    first = like.tables[0] if like else None
    if first and (first.level, first.classes) == (tables[0].level, tables[0].classes):
        of_all = any(measure.of_all for measure in measures.values())
        aligned = on_same_rows([first, *aligned], ['the reference', *names], same_labels=of_all)[1:]
    # Else of exams beside images, or with a class more: the reader of both tells what does not fit.
    return ScoreTrainings(tuple(aligned), measures)


def _positives(table: ScoreTable, measure: ScoreMeasure) -> frozenset[str]:
    """Units that a measure of one class takes for positive."""
    units = columns_of(measure, units_of(table, measure))
    return frozenset(unit for unit, label in zip(units.ids, units.labels[:, 0], strict=True) if label > 0)


def _mean(readers: Sequence[Reader]) -> Reader:
    return lambda weights: np.mean([read(weights) for read in readers], axis=0)
