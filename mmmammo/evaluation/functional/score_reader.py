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
from mmmammo.evaluation.functional.weighted_classes import LabelCounts, label_counts
from mmmammo.evaluation.functional.weighted_scores import PatientRows, weighted_statistic

Model = tuple[Sequence[ScoreMeasure], ScoresBesideLabels]
_Read = Callable[[FloatArray], FloatArray]


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
    pairs = list(zip(*(measures for measures, _ in models), strict=True))
    units: dict[Hashable, _Units] = {}
    for pair in pairs:
        kind = _kind(pair)
        units[kind] = units.get(kind) or _joined(pair, tables, patients, by_rank=len(models) > 1 and not same_scale)
    return ScoreReader(tuple(models[0][0]), tuple(_kind(pair) for pair in pairs), units, len(tables) * len(patients))


@dataclass(frozen=True, eq=False)
class ScoreReader:
    """See :func:`score_reader`.

    Args:
        measures: (k,).
        kinds: (k,) of the measures.
        units: Kind -> what is drawn from.
        num_patients: Of all models together.
    """

    measures: tuple[ScoreMeasure, ...]
    kinds: tuple[Hashable, ...]
    units: Mapping[Hashable, _Units]
    num_patients: int

    def __call__(self, patients: IntArray) -> FloatArray:
        """(k,) numbers of one draw of patients, row by row: the slow and literal way.

        Args:
            patients: (draws,) their numbers; one that is drawn twice occurs twice.
        """
        weights = np.bincount(patients, minlength=self.num_patients)
        drawn = {kind: units.drawn(weights) for kind, units in self.units.items()}
        values = [
            entry_of(multi_label_entries(measure, drawn[kind]), measure)
            if measure.statistic == MULTI_LABEL
            else read_columns(measure, drawn[kind])
            for kind, measure in zip(self.kinds, self.measures, strict=True)
        ]
        return np.array(values, dtype=np.float64)

    def of_weights(self, weights: FloatArray) -> FloatArray:
        """(r, k) numbers of many draws; those of :meth:`__call__`, but for the last bits of sums of scores.

        Args:
            weights: (r, patients) how often each patient was drawn.
        """
        tables = {table: counts.entries(weights) for table, counts in self._tables.items()}
        columns = [
            entry_of(tables[self._table(kind, measure)], measure)
            if measure.statistic == MULTI_LABEL
            else self._reads[kind, measure](weights)
            for kind, measure in zip(self.kinds, self.measures, strict=True)
        ]
        return np.stack(columns, axis=1)

    @staticmethod
    def _table(kind: Hashable, measure: ScoreMeasure) -> Hashable:
        """Measures that are entries of one multi-label table."""
        return kind, measure.threshold, measure.no_finding, measure.undefined_as

    @cached_property
    def _tables(self) -> dict[Hashable, LabelCounts]:
        found: dict[Hashable, LabelCounts] = {}
        for kind, measure in zip(self.kinds, self.measures, strict=True):
            if measure.statistic == MULTI_LABEL and self._table(kind, measure) not in found:
                units = self.units[kind]
                called = called_units(measure, units.scored)
                filled = undefined_of(measure)
                found[self._table(kind, measure)] = label_counts(*called, units.patient, self.num_patients, filled)
        return found

    @cached_property
    def _reads(self) -> dict[tuple[Hashable, ScoreMeasure], _Read]:
        """What reads each measure that is no entry of a multi-label table."""
        return {
            (kind, measure): self._read(measure, self.units[kind])
            for kind, measure in zip(self.kinds, self.measures, strict=True)
            if measure.statistic != MULTI_LABEL
        }

    def _read(self, measure: ScoreMeasure, units: _Units) -> _Read:
        def one_by_one(weights: FloatArray) -> FloatArray:
            return np.array([read_columns(measure, units.drawn(row)) for row in weights], dtype=np.float64)

        read_columns(measure, units.scored)  # refuses now what the statistic cannot use
        scored = units.scored
        of_classes = [
            weighted_statistic(
                measure,
                measure.statistic.removeprefix(MACRO),
                PatientRows(scored.labels[:, i], scored.scores[:, i], units.patient, self.num_patients, scored.folds),
            )
            for i in range(len(scored.names))
        ]
        known = [read for read in of_classes if read is not None]
        if len(known) < len(of_classes):
            return one_by_one
        return lambda weights: np.stack([read(weights) for read in known], axis=1).mean(axis=1)


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
