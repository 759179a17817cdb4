"""Numbers of classifiers by name, so that they can be read again from a table of scores, on any draw of its patients.

A metric that logs a number says with a :class:`ScoreMeasure` how it came about; whoever has the table of scores, and
neither the metric nor the model, gets the same number from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.aggregation import breast_scores, exam_scores
from mmmammo.evaluation.functional.auc import auc
from mmmammo.evaluation.functional.auprc import auprc
from mmmammo.evaluation.functional.calibration import brier_score, expected_calibration_error
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.multilabel import multilabel_report, with_no_finding
from mmmammo.evaluation.functional.probabilistic_f1 import (
    RSNA_THRESHOLDS,
    BestF1,
    best_binarised_f1,
    binarised_f1,
    probabilistic_f1,
)
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.recalibration import log_odds
from mmmammo.evaluation.functional.roc import sensitivity_at_specificity, specificity_at_sensitivity

MULTI_LABEL = 'multi_label'
MACRO = 'macro_'
"""Before the name of a statistic: its mean over the classes; undefined where that of a class is."""
SCORE_LEVELS = ('row', 'breast', 'exam')
"""``'row'``: as the table has them."""


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


@dataclass(frozen=True)
class ScoreMeasure:
    """How a number is read off a table.

    Args:
        statistic: One of :data:`SCORE_STATISTICS`, of one class; or ``'multi_label'`` or e.g. ``'macro_auc'``, of all.
        class_index: Which class of the table; -1 is the last.
        level: What is scored, one of :data:`SCORE_LEVELS`.
        breast_rule: Over the images of a breast.
        exam_rule: Over the breasts of an exam.
        as_log_odds: Whether these rules work on log-odds.
        threshold: Of ``'f1'``; of ``'multi_label'``, one or one per class.
        beta: Weight of recall against precision, of the F scores.
        entry: Of the multi-label table, e.g. ``'weighted/f1'``.
        no_finding: Of the multi-label table: name of a derived first class that holds where no other does.
        undefined_as: Of the multi-label table: ``None`` for nan, see
            :func:`~mmmammo.evaluation.functional.multilabel_report`.
        label_attribute: Column of the table that says what is positive, instead of its labels; the same for all rows of
            an exam if exams are scored.
        positive_values: Its values that are.

    Raises:
        MammoError: If the statistic or level is unknown.
    """

    statistic: str
    class_index: int = -1
    level: str = 'row'
    breast_rule: str = 'mean'
    exam_rule: str = 'max'
    as_log_odds: bool = False
    threshold: float | tuple[float, ...] = 0.5
    beta: float = 1.0
    entry: str = ''
    no_finding: str | None = None
    undefined_as: float | None = None
    label_attribute: str = ''
    positive_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = (*SCORE_STATISTICS, MULTI_LABEL, *(MACRO + name for name in SCORE_STATISTICS))
        option('ScoreMeasure', 'statistic', self.statistic, f'one of {known}', good=self.statistic in known)
        option('ScoreMeasure', 'level', self.level, f'one of {SCORE_LEVELS}', good=self.level in SCORE_LEVELS)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ScoreMeasure:
        """What :meth:`as_dict` wrote."""
        said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        return cls(**said)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what differs from the defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @property
    def alike(self) -> ScoreMeasure:
        """Equal for measures whose numbers can be compared: how each puts images together is a model's own affair."""
        return replace(self, class_index=-1, breast_rule='mean', exam_rule='max', as_log_odds=False)

    @property
    def of_all(self) -> bool:
        """Whether it is a number of all classes together."""
        return self.statistic == MULTI_LABEL or self.statistic.startswith(MACRO)

    @property
    def compares_rows(self) -> bool:
        """Whether only the order of the scores counts, so that two models can be brought to one scale by ranks."""
        return self.statistic.removeprefix(MACRO) in _OF_RANKS


Statistic = Callable[[BoolArray, FloatArray, ScoreMeasure], Reading]


def _best(labels: BoolArray, scores: FloatArray, measure: ScoreMeasure) -> BestF1:
    """What Table 2 of paper 2 prints: over its 100 thresholds, chosen on the very rows."""
    return best_binarised_f1(labels, scores, RSNA_THRESHOLDS, measure.beta, inclusive=False)


def _f1(labels: BoolArray, scores: FloatArray, measure: ScoreMeasure) -> Reading:
    option('ScoreMeasure', 'threshold', measure.threshold, 'one', good=isinstance(measure.threshold, float | int))
    return binarised_f1(labels, scores, float(np.asarray(measure.threshold)), measure.beta)


SCORE_STATISTICS: Mapping[str, Statistic] = {
    'auc': lambda labels, scores, _: auc(labels, scores),
    'auprc': lambda labels, scores, _: auprc(labels, scores),
    'sensitivity@specificity0.80': lambda labels, scores, _: (
        sensitivity_at_specificity(labels, scores, 0.8).sensitivity
    ),
    'sensitivity@specificity0.90': lambda labels, scores, _: (
        sensitivity_at_specificity(labels, scores, 0.9).sensitivity
    ),
    'specificity@sensitivity0.90': lambda labels, scores, _: (
        specificity_at_sensitivity(labels, scores, 0.9).specificity
    ),
    'pf1': lambda labels, scores, measure: probabilistic_f1(labels, scores, measure.beta),
    'f1': _f1,
    'best_f1': lambda labels, scores, measure: _best(labels, scores, measure).value,
    'best_threshold': lambda labels, scores, measure: _best(labels, scores, measure).threshold,
    'brier': lambda labels, scores, _: brier_score(labels, scores),
    'ece': lambda labels, scores, _: expected_calibration_error(labels, scores),
}
"""Name -> function of labels, scores and the measure, of one class."""
_OF_RANKS = tuple(name for name in SCORE_STATISTICS if name in ('auc', 'auprc') or '@' in name)


@dataclass(frozen=True, eq=False)
class ScoredUnits:
    """What is scored: images, breasts or exams.

    Args:
        ids: (u,).
        labels: (u, c) bool.
        scores: (u, c).
        patients: (u,).
    """

    ids: tuple[str, ...]
    labels: BoolArray
    scores: FloatArray
    patients: tuple[str, ...]


def units_of(table: ScoresBesideLabels, measure: ScoreMeasure) -> ScoredUnits:
    """The table at the level of a measure. A table of exams stays as it is.

    Raises:
        MammoError: If the table lacks exams or sides that the level needs.
    """
    labels = _labels_of(table, measure)
    if measure.level in ('row', table.level):
        return ScoredUnits(tuple(table.ids), labels, table.scores, tuple(table.patient_ids))
    exams, sides = table.exam_ids, table.lateralities
    groups = []
    for column, positive in zip(np.asarray(table.scores).T, labels.T, strict=True):
        scores = log_odds(column) if measure.as_log_odds else column
        if measure.level == 'breast':
            groups.append(breast_scores(scores, exams, sides, measure.breast_rule, labels=positive))
        else:
            rules = measure.breast_rule, measure.exam_rule
            groups.append(exam_scores(scores, exams, sides, *rules, labels=positive))
    patient = dict(zip(exams, table.patient_ids, strict=True))
    return ScoredUnits(
        groups[0].ids,
        np.stack([np.asarray(group.labels) for group in groups], axis=1),
        np.stack([group.scores for group in groups], axis=1),
        tuple(patient[exam] for exam in groups[0].exam_ids),
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


def columns_of(measure: ScoreMeasure, units: ScoredUnits, classes: Sequence[str]) -> ScoredUnits:
    """The units with the class that a measure is of; with all, if it is of all.

    Raises:
        MammoError: If there is no such class.
    """
    if measure.of_all:
        return units
    known = -len(classes) <= measure.class_index < len(classes)
    option('ScoreMeasure', 'class_index', measure.class_index, f'one of {len(classes)} classes', good=known)
    columns = [measure.class_index]
    return ScoredUnits(units.ids, units.labels[:, columns], units.scores[:, columns], units.patients)


def read_columns(measure: ScoreMeasure, labels: BoolArray, scores: FloatArray) -> Reading:
    """The number, of (u, c) units from :func:`columns_of`; the mean over the classes where there are several.

    Raises:
        MammoError: If the statistic needs probabilities and gets others.
    """
    statistic = SCORE_STATISTICS[measure.statistic.removeprefix(MACRO)]
    values = [statistic(labels[:, i], scores[:, i], measure) for i in range(labels.shape[1])]
    if len(values) == 1:
        return values[0]
    reasons = sorted({value.reason for value in values if value.reason})
    return Reading.undefined('; '.join(reasons)) if reasons else Reading(float(np.mean(values)))


def read_measure(table: ScoresBesideLabels, measure: ScoreMeasure) -> float:
    """The number, of the whole table.

    Raises:
        MammoError: If the table lacks what the measure needs: exams, sides, the class, probabilities.
    """
    units = columns_of(measure, units_of(table, measure), table.classes)
    if measure.statistic != MULTI_LABEL:
        return read_columns(measure, units.labels, units.scores)
    return entry_of(multi_label_entries(measure, units.labels, units.scores, table.classes), measure)


def entry_of(entries: Mapping[str, float], measure: ScoreMeasure) -> float:
    """The entry that a measure is.

    Raises:
        MammoError: If the table has no such entry.
    """
    option('ScoreMeasure', 'entry', measure.entry, f'one of {list(entries)}', good=measure.entry in entries)
    return entries[measure.entry]


def multi_label_entries(
    measure: ScoreMeasure, labels: BoolArray, scores: FloatArray, classes: Sequence[str]
) -> dict[str, float]:
    """All entries of the multi-label table that a measure is of; see ``MultilabelReport.as_dict``."""
    threshold = np.asarray(measure.threshold, dtype=np.float64)
    fits = threshold.size in (1, len(classes))
    option('ScoreMeasure', 'threshold', threshold.tolist(), f'one, or {len(classes)}', good=fits)
    called = scores >= threshold
    names = tuple(classes)
    if measure.no_finding is not None:
        names = (measure.no_finding, *names)
        labels, called = with_no_finding(labels), with_no_finding(called)
    return multilabel_report(labels, called, names, undefined_of(measure)).as_dict()


def undefined_of(measure: ScoreMeasure) -> float:
    """What takes the place of a ratio without denominator."""
    return math.nan if measure.undefined_as is None else measure.undefined_as
