"""Measures of classifiers on drawn patients, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.paired import rank_scores
from mmmammo.evaluation.functional.score_measures import (
    MULTI_LABEL,
    ScoredUnits,
    ScoreMeasure,
    ScoresBesideLabels,
    columns_of,
    entry_of,
    multi_label_entries,
    read_columns,
    units_of,
)

PatientReader = Callable[[IntArray], FloatArray]
"""(draws,) numbers of patients -> (measures,); patient ``i`` as the second model scored her is ``i + patients``."""


Model = tuple[Sequence[ScoreMeasure], ScoresBesideLabels]


@dataclass(frozen=True, eq=False)
class _Units:
    """What one measure is read off: units of all models, one model after the other.

    Args:
        labels: (u, c) bool; of a measure of one class c is 1.
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


def score_reader(*models: Model, same_scale: bool = False) -> PatientReader:
    """What reads measures off one model's table, or off those of two models side by side.

    With two, give it to :func:`~mmmammo.evaluation.functional.paired_difference`, the patients being its groups. Where
    only the order of scores counts, both models' are turned into ranks first, so that exchanged ones compare.

    Args:
        *models: One or two, each with its measures, which must be alike, and its table.
        same_scale: Whether a score means the same in both models: then no ranks are taken.

    Raises:
        MammoError: If a measure does not suit a table, or the two models scored different units.
    """
    tables = [table for _, table in models]
    patients = patients_in(tables[0])
    pairs = list(zip(*(measures for measures, _ in models), strict=True))
    units: dict[Hashable, _Units] = {}
    for pair in pairs:
        kind = _kind(pair)
        units[kind] = units.get(kind) or _joined(pair, tables, patients, by_rank=len(models) > 1 and not same_scale)
    kinds = [_kind(pair) for pair in pairs]
    return _Reader(models[0][0], kinds, units, tuple(tables[0].classes), len(tables) * len(patients))


@dataclass(frozen=True, eq=False)
class _Reader:
    """See :func:`score_reader`.

    Args:
        measures: (k,).
        kinds: (k,) of the measures.
        units: Kind -> what is drawn from.
        classes: Names.
        num_patients: Of all models together.
    """

    measures: Sequence[ScoreMeasure]
    kinds: Sequence[Hashable]
    units: Mapping[Hashable, _Units]
    classes: tuple[str, ...]
    num_patients: int

    def __call__(self, rows: IntArray) -> FloatArray:
        weights = np.bincount(rows, minlength=self.num_patients)
        drawn = {kind: part.drawn(weights) for kind, part in self.units.items()}
        entries: dict[Hashable, dict[str, float]] = {}
        values = [
            self._entry(measure, kind, drawn[kind], entries)
            if measure.statistic == MULTI_LABEL
            else read_columns(measure, *drawn[kind])
            for kind, measure in zip(self.kinds, self.measures, strict=True)
        ]
        return np.array(values, dtype=np.float64)

    def _entry(
        self,
        measure: ScoreMeasure,
        kind: Hashable,
        drawn: tuple[BoolArray, FloatArray],
        entries: dict[Hashable, dict[str, float]],
    ) -> float:
        """Of a multi-label table, which is made once for all its entries."""
        table = kind, measure.threshold, measure.no_finding, measure.undefined_as
        if table not in entries:
            entries[table] = multi_label_entries(measure, *drawn, self.classes)
        return entry_of(entries[table], measure)


def _kind(measures: Sequence[ScoreMeasure]) -> Hashable:
    """Measures of one kind are read off the same units."""
    return tuple(
        (one.level, one.breast_rule, one.exam_rule, one.as_log_odds, one.compares_rows, one.class_index, one.of_all)
        for one in measures
    )


def _joined(
    measures: Sequence[ScoreMeasure], tables: Sequence[ScoresBesideLabels], patients: Sequence[str], *, by_rank: bool
) -> _Units:
    number = {patient: i for i, patient in enumerate(patients)}
    first = units_of(tables[0], measures[0])
    patient = np.array([number[one] for one in first.patients], dtype=np.int64)
    parts = [
        columns_of(measure, _in_order(units_of(table, measure), first), table.classes)
        for table, measure in zip(tables, measures, strict=True)
    ]
    for part in parts[1:]:
        same = part.labels.shape == parts[0].labels.shape and bool((part.labels == parts[0].labels).all())
        option('score_reader', 'labels', 'others', 'the same of both models', good=same)
    by_rank = by_rank and measures[0].compares_rows
    return _Units(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([_ranked(part.scores) if by_rank else part.scores for part in parts]),
        np.concatenate([patient + i * len(patients) for i in range(len(tables))]),
    )


def _in_order(units: ScoredUnits, first: ScoredUnits) -> ScoredUnits:
    """The units of a model in the order of another's.

    Raises:
        MammoError: If they are others.
    """
    place = {unit: row for row, unit in enumerate(units.ids)}
    other = sorted(set(first.ids) ^ set(place))
    option('score_reader', 'rows', f'{len(other)} of one model only: {other[:3]}', 'the same of both', good=not other)
    rows = [place[unit] for unit in first.ids]
    return ScoredUnits(first.ids, units.labels[rows], units.scores[rows], first.patients)


def _ranked(scores: FloatArray) -> FloatArray:
    return np.stack([rank_scores(column) for column in scores.T], axis=1)
