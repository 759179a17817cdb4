"""What a measure of classifiers is read off: a table's images, breasts or exams, and the columns that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.aggregation import breast_scores, exam_scores
from mmmammo.evaluation.functional.held_out_f1 import held_out_f1
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.multilabel import multilabel_report, with_no_finding
from mmmammo.evaluation.functional.probabilistic_f1 import RSNA_THRESHOLDS
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.recalibration import log_odds
from mmmammo.evaluation.functional.score_measures import (
    HELD_OUT,
    MACRO,
    MULTI_LABEL,
    SCORE_STATISTICS,
    ScoreMeasure,
    undefined_of,
)

_T = TypeVar('_T')


class ScoresBesideLabels(Protocol):
    """What a table of scores has, such as :class:`mmmammo.io.score_tables.ScoreTable`."""

    @property
    def ids(self) -> Sequence[str]: ...  # noqa: D102 - the class says it
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def exam_ids(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def patient_ids(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def lateralities(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def labels(self) -> npt.NDArray[Any]: ...  # noqa: D102
    @property
    def scores(self) -> FloatArray: ...  # noqa: D102
    @property
    def classes(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def attributes(self) -> Mapping[str, Sequence[str]]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class ScoredUnits:
    """What is scored: images, breasts or exams.

    Args:
        ids: (u,).
        labels: (u, c) bool.
        scores: (u, c).
        patients: (u,).
        names: (c,) of the columns.
        folds: (u,) number of the fold, where the measure needs it.
    """

    ids: tuple[str, ...]
    labels: BoolArray
    scores: FloatArray
    patients: tuple[str, ...]
    names: tuple[str, ...]
    folds: IntArray | None = None

    def rows(self, which: IntArray) -> ScoredUnits:
        """Some of the units, by index."""
        return ScoredUnits(
            tuple(self.ids[place] for place in which),
            self.labels[which],
            self.scores[which],
            tuple(self.patients[place] for place in which),
            self.names,
            None if self.folds is None else self.folds[which],
        )


def units_of(table: ScoresBesideLabels, measure: ScoreMeasure) -> ScoredUnits:
    """The table at the level of a measure. A table of exams stays as it is.

    Raises:
        MammoError: If the table lacks exams or sides that the level needs, or the column of folds.
    """
    labels, folds = _labels_of(table, measure), _folds_of(table, measure)
    names = tuple(table.classes)
    if measure.level in ('row', table.level):
        own = None if folds is None else np.array([folds[patient] for patient in table.patient_ids], dtype=np.int64)
        return ScoredUnits(tuple(table.ids), labels, table.scores, tuple(table.patient_ids), names, own)
    exams, sides = table.exam_ids, table.lateralities
    groups = []
    for column, positive in zip(np.asarray(table.scores).T, labels.T, strict=True):
        scores = log_odds(column) if measure.as_log_odds else column
        if measure.level == 'breast':
            groups.append(breast_scores(scores, exams, sides, measure.breast_rule, labels=positive, unknown_side='own'))
        else:
            rules = measure.breast_rule, measure.exam_rule
            groups.append(exam_scores(scores, exams, sides, *rules, labels=positive, unknown_side='own'))
    patient = dict(zip(exams, table.patient_ids, strict=True))
    patients = tuple(patient[exam] for exam in groups[0].exam_ids)
    return ScoredUnits(
        groups[0].ids,
        np.stack([np.asarray(group.labels) for group in groups], axis=1),
        np.stack([group.scores for group in groups], axis=1),
        patients,
        names,
        None if folds is None else np.array([folds[one] for one in patients], dtype=np.int64),
    )


def _labels_of(table: ScoresBesideLabels, measure: ScoreMeasure) -> BoolArray:
    """(n, c); those of an attribute are the same for all classes."""
    labels: BoolArray = np.asarray(table.labels) > 0
    if not measure.label_attribute:
        return labels
    known = measure.label_attribute in table.attributes
    option('ScoreMeasure', 'label_attribute', measure.label_attribute, 'a column of the table', good=known)
    positive = np.isin(np.array(table.attributes[measure.label_attribute]), measure.positive_values)
    return np.repeat(positive[:, None], labels.shape[1], axis=1)


def _folds_of(table: ScoresBesideLabels, measure: ScoreMeasure) -> dict[str, int] | None:
    """Patient -> number of her fold."""
    if measure.statistic != HELD_OUT:
        return None
    known = measure.fold_attribute in table.attributes
    option('ScoreMeasure', 'fold_attribute', measure.fold_attribute, 'a column of the table', good=known)
    _, folds = np.unique(np.array(table.attributes[measure.fold_attribute]), return_inverse=True)
    return dict(zip(table.patient_ids, folds.tolist(), strict=True))


def columns_of(measure: ScoreMeasure, units: ScoredUnits) -> ScoredUnits:
    """The units with the class that a measure is of; with all, if it is of all; with its groups, if it has some.

    Raises:
        MammoError: If there is no such class.
    """
    if measure.of_all:
        return _grouped(measure, _with_one_of(measure, units))
    known = -len(units.names) <= measure.class_index < len(units.names)
    option('ScoreMeasure', 'class_index', measure.class_index, f'one of {len(units.names)} classes', good=known)
    return _of_columns(units, [measure.class_index])


def _of_columns(units: ScoredUnits, columns: list[int]) -> ScoredUnits:
    names = tuple(units.names[column] for column in columns)
    return replace(units, labels=units.labels[:, columns], scores=units.scores[:, columns], names=names)


def _with_one_of(measure: ScoreMeasure, units: ScoredUnits) -> ScoredUnits:
    """Only what has one of the classes of ``only_with``."""
    if not measure.only_with:
        return units
    places = _places(units.names, measure.only_with, 'only_with')
    return units.rows(np.flatnonzero(units.labels[:, places].any(axis=1)))


def _grouped(measure: ScoreMeasure, units: ScoredUnits) -> ScoredUnits:
    """A column per group: whether one of its classes holds, and the greatest of their scores.

    That score reaches a threshold where one of them does.
    """
    if not measure.groups:
        return units
    one = isinstance(measure.threshold, float | int)
    option('ScoreMeasure', 'threshold', measure.threshold, 'one, for all classes of a group', good=one)
    places = [_places(units.names, classes, 'groups') for _, classes in measure.groups]
    return replace(
        units,
        labels=np.stack([units.labels[:, columns].any(axis=1) for columns in places], axis=1),
        scores=np.stack([units.scores[:, columns].max(axis=1) for columns in places], axis=1),
        names=tuple(name for name, _ in measure.groups),
    )


def _places(names: Sequence[str], classes: Sequence[str], field: str) -> list[int]:
    for name in classes:
        option('ScoreMeasure', field, name, f'some of {", ".join(names)}', good=name in names)
    return [names.index(name) for name in classes]


def read_measure(table: ScoresBesideLabels, measure: ScoreMeasure) -> float:
    """The number, of the whole table.

    Raises:
        MammoError: If the table lacks what the measure needs: exams, sides, the class, folds, probabilities.
    """
    units = columns_of(measure, units_of(table, measure))
    if measure.statistic != MULTI_LABEL:
        return read_columns(measure, units)
    return entry_of(multi_label_entries(measure, units), measure)


def read_columns(measure: ScoreMeasure, units: ScoredUnits) -> Reading:
    """The number, of units from :func:`columns_of`; the mean over the classes where there are several.

    Raises:
        MammoError: If the statistic needs probabilities and gets others.
    """
    if measure.statistic == HELD_OUT:
        return _held_out(measure, units)
    statistic = SCORE_STATISTICS[measure.statistic.removeprefix(MACRO)]
    values = [statistic(units.labels[:, i], units.scores[:, i], measure) for i in range(units.labels.shape[1])]
    if len(values) == 1:
        return values[0]
    reasons = sorted({value.reason for value in values if value.reason})
    return Reading.undefined('; '.join(reasons)) if reasons else Reading(float(np.mean(values)))


def _held_out(measure: ScoreMeasure, units: ScoredUnits) -> Reading:
    """Each fold at the best of paper 2's thresholds on the other folds, of what is there of them."""
    folds = np.zeros(0, dtype=np.int64) if units.folds is None else units.folds
    if len(np.unique(folds)) < 2:
        return Reading.undefined('fewer than two folds')
    labels, scores = units.labels[:, 0], units.scores[:, 0]
    return held_out_f1(labels, scores, folds.tolist(), RSNA_THRESHOLDS, measure.beta, inclusive=False).value


def entry_of(entries: Mapping[str, _T], measure: ScoreMeasure) -> _T:
    """The entry that a measure is.

    Raises:
        MammoError: If the table has no such entry.
    """
    option('ScoreMeasure', 'entry', measure.entry, f'one of {list(entries)}', good=measure.entry in entries)
    return entries[measure.entry]


def multi_label_entries(measure: ScoreMeasure, units: ScoredUnits) -> dict[str, float]:
    """All entries of the multi-label table that a measure is of; see ``MultilabelReport.as_dict``.

    Args:
        measure: Of units from :func:`columns_of`.
        units: Those.
    """
    names, labels, called = called_units(measure, units)
    return multilabel_report(labels, called, names, undefined_of(measure)).as_dict()


def called_units(measure: ScoreMeasure, units: ScoredUnits) -> tuple[tuple[str, ...], BoolArray, BoolArray]:
    """Names of the classes, (u, c) labels, and (u, c) which scores reach their threshold.

    Raises:
        MammoError: If there is not one threshold, or one per class.
    """
    threshold = np.asarray(measure.threshold, dtype=np.float64)
    fits = threshold.size in (1, len(units.names))
    option('ScoreMeasure', 'threshold', threshold.tolist(), f'one, or {len(units.names)}', good=fits)
    called = units.scores >= threshold
    if measure.no_finding is None:
        return units.names, units.labels, called
    return (measure.no_finding, *units.names), with_no_finding(units.labels), with_no_finding(called)
