"""Measures of classifiers on drawn patients, of one model or of two side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.paired import rank_scores
from mmmammo.evaluation.functional.score_measures import MACRO, MULTI_LABEL, ScoreMeasure, undefined_of
from mmmammo.evaluation.functional.scored_units import (
    ScoredUnits,
    ScoresBesideLabels,
    called_units,
    columns_of,
    entry_of,
    multi_label_entries,
    read_columns,
    units_of,
)
from mmmammo.evaluation.functional.weighted_classes import label_counts
from mmmammo.evaluation.functional.weighted_scores import weighted_statistics
from mmmammo.evaluation.functional.weighted_sweeps import PatientRows

Model = tuple[Sequence[ScoreMeasure], ScoresBesideLabels]
_Part = tuple[Hashable, ScoreMeasure]
_Reads = tuple[list[ScoreMeasure], Callable[[FloatArray], FloatArray]]
"""Measures, and what reads them: (r, patients) weights -> (r, measures)."""


@dataclass(frozen=True, eq=False)
class _Units:
    """What one measure is read off: units of all models, one model after the other.

    Args:
        scored: (u,) units; of a measure of one class they have one column.
        patient: (u,) number: patient ``i`` as the second model scored her is ``i + patients``.
    """

    scored: ScoredUnits
    patient: IntArray

    def drawn(self, weights: IntArray | FloatArray) -> ScoredUnits:
        """Labels, scores and folds, each unit as often as its patient was drawn."""
        rows = np.repeat(np.arange(len(self.patient)), weights[self.patient].astype(np.int64))
        folds = self.scored.folds
        return replace(
            self.scored,
            ids=(),
            labels=self.scored.labels[rows],
            scores=self.scored.scores[rows],
            patients=(),
            folds=None if folds is None else folds[rows],
        )


def patients_in(table: ScoresBesideLabels) -> list[str]:
    """Patients of a table, each once, in the order in which readers number them."""
    return sorted(set(table.patient_ids))


def score_reader(*models: Model, same_scale: bool = False) -> ScoreReader:
    """What reads measures off one model's table, or off those of two models side by side.

    With two, give it to :func:`~mmmammo.evaluation.functional.weighted_paired_difference`, the patients being its
    groups. Where only the order of scores counts, both models' are turned into ranks first, so that exchanged ones
    compare.

    Args:
        *models: One or two, each with its measures, which must be alike, and its table.
        same_scale: Whether a score means the same in both models: then no ranks are taken.

    Raises:
        MammoError: If a measure does not suit a table, or the two models scored different units.
    """
    tables = [table for _, table in models]
    patients = patients_in(tables[0])
    numbers = [_parts(pair, tables[0]) for pair in zip(*(measures for measures, _ in models), strict=True)]
    units: dict[Hashable, _Units] = {}
    for pair in (pair for number in numbers for pair in number):
        kind = _kind(pair)
        units[kind] = units.get(kind) or _joined(pair, tables, patients, by_rank=len(models) > 1 and not same_scale)
    parts = tuple(tuple((_kind(pair), pair[0]) for pair in number) for number in numbers)
    return ScoreReader(parts, units, len(tables) * len(patients))


@dataclass(frozen=True, eq=False)
class ScoreReader:
    """See :func:`score_reader`.

    Args:
        parts: Of each number, kind and measure; of a mean over the classes, those of each class.
        units: Kind -> what is drawn from.
        num_patients: Of all models together.
    """

    parts: tuple[tuple[_Part, ...], ...]
    units: Mapping[Hashable, _Units]
    num_patients: int

    def __call__(self, patients: IntArray) -> FloatArray:
        """(k,) numbers of one draw of patients, row by row: the slow and literal way.

        Args:
            patients: (draws,) their numbers; one that is drawn twice occurs twice.
        """
        weights = np.bincount(patients, minlength=self.num_patients)
        drawn = {kind: units.drawn(weights) for kind, units in self.units.items()}
        return np.array([np.mean([_read(measure, drawn[kind]) for kind, measure in parts]) for parts in self.parts])

    def of_weights(self, weights: FloatArray) -> FloatArray:
        """(r, k) numbers of many draws; those of :meth:`__call__`, but for the last bits of sums of scores.

        Args:
            weights: (r, patients) how often each patient was drawn.
        """
        values: dict[_Part, FloatArray] = {}
        for kind, readers in self._readers.items():
            for measures, read in readers:
                columns = read(weights)
                values |= {(kind, measure): columns[:, i] for i, measure in enumerate(measures)}
        numbers = [np.stack([values[part] for part in parts], axis=1).mean(axis=1) for parts in self.parts]
        return np.stack(numbers, axis=1)

    @cached_property
    def _readers(self) -> dict[Hashable, list[_Reads]]:
        """Kind -> what reads its measures, each of them once."""
        measures: dict[Hashable, dict[ScoreMeasure, None]] = {}
        for kind, measure in (part for parts in self.parts for part in parts):
            measures.setdefault(kind, {})[measure] = None
        return {kind: self._readers_of(list(of_kind), self.units[kind]) for kind, of_kind in measures.items()}

    def _readers_of(self, measures: Sequence[ScoreMeasure], units: _Units) -> list[_Reads]:
        tables: dict[ScoreMeasure, list[ScoreMeasure]] = {}
        for measure in measures:
            if measure.statistic == MULTI_LABEL:
                tables.setdefault(replace(measure, entry=''), []).append(measure)
        singles = [measure for measure in measures if measure.statistic != MULTI_LABEL]
        readers = [self._table_reader(entries, units) for entries in tables.values()]
        return [*readers, *(self._single_readers(singles, units) if singles else ())]

    def _table_reader(self, entries: list[ScoreMeasure], units: _Units) -> _Reads:
        """Of entries of one multi-label table."""
        called, filled = called_units(entries[0], units.scored), undefined_of(entries[0])
        counts = label_counts(*called, units.patient, self.num_patients, filled)

        def read(weights: FloatArray) -> FloatArray:
            table = counts.entries(weights)
            return np.stack([entry_of(table, entry) for entry in entries], axis=1)

        return entries, read

    def _single_readers(self, measures: Sequence[ScoreMeasure], units: _Units) -> list[_Reads]:
        """Of measures of one class: at once where that is possible, else draw by draw."""
        scored = units.scored
        for measure in measures:
            read_columns(measure, scored)  # refuses now what the statistic cannot use
        labels, scores = scored.labels[:, 0], scored.scores[:, 0]
        rows = PatientRows(labels, scores, units.patient, self.num_patients, scored.folds)
        known, read = weighted_statistics(measures, rows)
        others = [measure for measure in measures if measure not in known]

        def read_others(weights: FloatArray) -> FloatArray:
            drawn = (units.drawn(row) for row in weights)
            return np.array([[read_columns(measure, one) for measure in others] for one in drawn])

        return [*([(known, read)] if known else []), *([(others, read_others)] if others else [])]


def _read(measure: ScoreMeasure, drawn: ScoredUnits) -> float:
    if measure.statistic == MULTI_LABEL:
        return entry_of(multi_label_entries(measure, drawn), measure)
    return read_columns(measure, drawn)


def _parts(measures: Sequence[ScoreMeasure], table: ScoresBesideLabels) -> list[tuple[ScoreMeasure, ...]]:
    """A measure of each model; of means over the classes, those of each class."""
    if not measures[0].statistic.startswith(MACRO):
        return [tuple(measures)]
    statistic = measures[0].statistic.removeprefix(MACRO)
    return [
        tuple(replace(measure, statistic=statistic, class_index=i) for measure in measures)
        for i in range(len(table.classes))
    ]


def _kind(measures: Sequence[ScoreMeasure]) -> Hashable:
    """Measures of one kind are read off the same units."""
    return tuple(
        (
            *(one.level, one.breast_rule, one.exam_rule, one.as_log_odds, one.compares_rows, one.class_index),
            *(one.of_all, one.label_attribute, one.positive_values, one.groups, one.only_with, one.fold_attribute),
        )
        for one in measures
    )


def _joined(
    measures: Sequence[ScoreMeasure], tables: Sequence[ScoresBesideLabels], patients: Sequence[str], *, by_rank: bool
) -> _Units:
    number = {patient: i for i, patient in enumerate(patients)}
    parts = [columns_of(measure, units_of(table, measure)) for table, measure in zip(tables, measures, strict=True)]
    parts = [parts[0], *(_in_order(part, parts[0]) for part in parts[1:])]
    patient = np.array([number[one] for one in parts[0].patients], dtype=np.int64)
    for part in parts[1:]:
        same = part.labels.shape == parts[0].labels.shape and bool((part.labels == parts[0].labels).all())
        option('score_reader', 'labels', 'others', 'the same of both models', good=same)
    by_rank = by_rank and measures[0].compares_rows
    folds = [part.folds for part in parts if part.folds is not None]
    joined = replace(
        parts[0],
        ids=parts[0].ids * len(parts),
        labels=np.concatenate([part.labels for part in parts]),
        scores=np.concatenate([_ranked(part.scores) if by_rank else part.scores for part in parts]),
        patients=parts[0].patients * len(parts),
        folds=np.concatenate(folds) if folds else None,
    )
    return _Units(joined, np.concatenate([patient + i * len(patients) for i in range(len(tables))]))


def _in_order(units: ScoredUnits, first: ScoredUnits) -> ScoredUnits:
    """The units of a model in the order of another's.

    Raises:
        MammoError: If they are others.
    """
    place = {unit: row for row, unit in enumerate(units.ids)}
    other = sorted(set(first.ids) ^ set(place))
    option('score_reader', 'rows', f'{len(other)} of one model only: {other[:3]}', 'the same of both', good=not other)
    return replace(units.rows(np.array([place[unit] for unit in first.ids], dtype=np.int64)), patients=first.patients)


def _ranked(scores: FloatArray) -> FloatArray:
    return np.stack([rank_scores(column) for column in scores.T], axis=1)
