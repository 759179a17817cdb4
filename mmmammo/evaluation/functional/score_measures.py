"""Numbers of classifiers by name, so that they can be read again from a table of scores, on any draw of its patients.

A metric that logs a number says with a :class:`ScoreMeasure` how it came about; whoever has the table of scores, and
neither the metric nor the model, gets the same number from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from mmmammo.evaluation.functional.auc import auc
from mmmammo.evaluation.functional.auprc import auprc
from mmmammo.evaluation.functional.calibration import brier_score, expected_calibration_error
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.probabilistic_f1 import (
    RSNA_THRESHOLDS,
    BestF1,
    best_binarised_f1,
    binarised_f1,
    probabilistic_f1,
)
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.roc import sensitivity_at_specificity, specificity_at_sensitivity

MULTI_LABEL = 'multi_label'
HELD_OUT = 'held_out_f1'
MACRO = 'macro_'
"""Before the name of a statistic: its mean over the classes; undefined where that of a class is."""
SCORE_LEVELS = ('row', 'breast', 'exam')
"""``'row'``: as the table has them."""


@dataclass(frozen=True)
class ScoreMeasure:
    """How a number is read off a table.

    Args:
        statistic: One of :data:`SCORE_STATISTICS`, or ``'held_out_f1'``, of one class; or ``'multi_label'`` or e.g.
            ``'macro_auc'``, of all.
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
        groups: Of the multi-label table: name of each row -> the classes that it puts together; it holds where one of
            them does. By default each class is a row.
        only_with: Of the multi-label table: leave out what has none of these classes; by default nothing.
        fold_attribute: Of ``'held_out_f1'``: column of the table that holds the fold.

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
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only_with: tuple[str, ...] = ()
    fold_attribute: str = ''

    def __post_init__(self) -> None:
        known = (*SCORE_STATISTICS, MULTI_LABEL, HELD_OUT, *(MACRO + name for name in SCORE_STATISTICS))
        option('ScoreMeasure', 'statistic', self.statistic, f'one of {known}', good=self.statistic in known)
        option('ScoreMeasure', 'level', self.level, f'one of {SCORE_LEVELS}', good=self.level in SCORE_LEVELS)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ScoreMeasure:
        """What :meth:`as_dict` wrote."""
        return cls(**{name: _frozen(value) for name, value in document.items()})

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


def undefined_of(measure: ScoreMeasure) -> float:
    """What takes the place of a ratio without denominator."""
    return math.nan if measure.undefined_as is None else measure.undefined_as


def _frozen(value: Any) -> Any:
    """JSON's lists, also those in lists, as tuples."""
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value
