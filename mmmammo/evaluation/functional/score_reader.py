"""Measures of classifiers on drawn patients, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.paired import rank_scores
from mmmammo.evaluation.functional.score_measures import (
    MULTI_LABEL,
    ScoreMeasure,
    ScoresBesideLabels,
    multi_label_entries,
    read_units,
    units_of,
)

PatientReader = Callable[[IntArray], FloatArray]
"""(draws,) numbers of patients -> (measures,); patient ``i`` as the second model scored her is ``i + patients``."""


@dataclass(frozen=True, eq=False)
class _Units:
    """Units of all models, one model after the other.

    Args:
        labels: (u, c) bool.
        scores: (u, c).
        patient: (u,) number, as :data:`PatientReader` counts.
    """

    labels: BoolArray
    scores: FloatArray
    patient: IntArray

    def drawn(self, weights: IntArray) -> tuple[BoolArray, FloatArray]:
        """Labels and scores, each unit as often as its patient was drawn."""
        rows = np.repeat(np.arange(len(self.patient)), weights[self.patient])
        return self.labels[rows], self.scores[rows]


def patients_in(table: ScoresBesideLabels) -> list[str]:
    """Patients of a table, each once, in the order in which readers number them."""
    return sorted(set(table.patient_ids))


def score_reader(measures: Sequence[ScoreMeasure], *tables: ScoresBesideLabels) -> PatientReader:
    """What reads measures off one table, or off two models' tables of the same rows.

    With two, give it to :func:`~mmmammo.evaluation.functional.paired_difference`, the patients being its groups. Where
    only the order of scores counts, both models' are turned into ranks first, so that exchanged ones compare.

    Args:
        measures: What is wanted.
        *tables: One or two, with the same ids, patients and labels.

    Raises:
        MammoError: If a measure does not suit the table.
    """
    classes = tuple(tables[0].classes)
    num = len(tables) * len(patients_in(tables[0]))
    kinds = [_kind(measure) for measure in measures]
    units = {kind: _joined(measure, tables) for kind, measure in zip(kinds, measures, strict=True)}

    def read(rows: IntArray) -> FloatArray:
        weights = np.bincount(rows, minlength=num)
        drawn = {kind: part.drawn(weights) for kind, part in units.items()}
        entries: dict[Hashable, dict[str, float]] = {}
        values = []
        for kind, measure in zip(kinds, measures, strict=True):
            if measure.statistic != MULTI_LABEL:
                values.append(read_units(measure, *drawn[kind], classes))
                continue
            table = kind, measure.threshold, measure.no_finding, measure.undefined_as
            if table not in entries:  # one table has all its entries
                entries[table] = multi_label_entries(measure, *drawn[kind], classes)
            values.append(entries[table][measure.entry])
        return np.array(values, dtype=np.float64)

    return read


def _kind(measure: ScoreMeasure) -> Hashable:
    """Measures of one kind are read off the same units."""
    return measure.level, measure.breast_rule, measure.exam_rule, measure.as_log_odds, measure.compares_rows


def _joined(measure: ScoreMeasure, tables: Sequence[ScoresBesideLabels]) -> _Units:
    number = {patient: i for i, patient in enumerate(patients_in(tables[0]))}
    units = [units_of(table, measure) for table in tables]
    by_rank = len(tables) > 1 and measure.compares_rows
    return _Units(
        np.concatenate([part.labels for part in units]),
        np.concatenate([_ranked(part.scores) if by_rank else part.scores for part in units]),
        np.concatenate(
            [
                np.array([number[patient] for patient in part.patients], dtype=np.int64) + i * len(number)
                for i, part in enumerate(units)
            ]
        ),
    )


def _ranked(scores: FloatArray) -> FloatArray:
    return np.stack([rank_scores(column) for column in scores.T], axis=1)
