"""Everything that is reported of scores beside labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    SCORE_STATISTICS,
    Interval,
    MultilabelReport,
    Reading,
    ScoreMeasure,
    SubgroupRow,
    delong_interval,
    multilabel_report,
    patients_in,
    score_reader,
    subgroup_table,
    weighted_bootstrap_ci,
)
from mmmammo.evaluation.functional.score_measures import MACRO as OF_ALL
from mmmammo.evaluation.functional.subgroups import subgroup_label
from mmmammo.evaluation.functional.weighted_sweeps import mean_auc_reader
from mmmammo.evaluation.summary.class_table import class_table_measures, class_table_numbers
from mmmammo.evaluation.summary.numbers import DELONG, Number, by_key, with_interval
from mmmammo.evaluation.summary.score_levels import Aggregation, aggregated
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import MammoError

METRICS: Mapping[str, str] = {
    'auc': 'Area under the ROC curve (AUC)',
    'auprc': 'Average precision (area under precision and recall)',
    'sensitivity@specificity0.80': 'Sensitivity where specificity is at least 0.80',
    'sensitivity@specificity0.90': 'Sensitivity where specificity is at least 0.90',
    'specificity@sensitivity0.90': 'Specificity where sensitivity is at least 0.90',
    'pf1': 'Probabilistic F1',
    'brier': 'Brier score (0 is perfect)',
    'ece': 'Expected calibration error, 10 bins (0 is perfect)',
}
"""Statistic -> words, for every class."""
OF_PROBABILITIES = ('pf1', 'brier', 'ece')
"""What only makes sense of scores in [0, 1]."""
MACRO = ('auc', 'auprc')


@dataclass(frozen=True)
class ScoreSettings:
    """What is computed of scores.

    Args:
        aggregation: From rows to breasts or exams.
        threshold: From which score on a class counts as called, in the table of classes.
        subgroups: Columns of the table to divide by.
        bootstrap: Replicates of the intervals, patients resampled; 0 for none.
        seed: Of the bootstrap.
    """

    aggregation: Aggregation = field(default_factory=Aggregation)
    threshold: float = 0.5
    subgroups: tuple[str, ...] = ()
    bootstrap: int = 1000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class ScoreSummary:
    """What is known of a table.

    Args:
        table: At the level that is reported.
        settings: What was asked for.
        numbers: Key -> result; with several classes, ``class/key``, the means ``macro/key``, and the table of classes.
        classes: Precision, recall, F1 and accuracy of the classes at the threshold; ``None`` for a single class.
        subgroups: AUC of the (mean over the) classes, subgroup by subgroup.
    """

    table: ScoreTable
    settings: ScoreSettings
    numbers: dict[str, Number]
    classes: MultilabelReport | None
    subgroups: list[SubgroupRow]

    @property
    def headline(self) -> Number:
        """AUC, or its mean over the classes."""
        return self.numbers['auc' if len(self.table.classes) == 1 else 'macro/auc']


def summarise_scores(table: ScoreTable, settings: ScoreSettings | None = None) -> ScoreSummary:
    """Aggregate, measure, resample.

    Raises:
        MammoError: If the table does not allow the level, or a column of subgroups is missing.
    """
    settings = settings or ScoreSettings()
    table = aggregated(table, settings.aggregation, settings.subgroups)
    unknown = [name for name in settings.subgroups if name not in table.attributes]
    if unknown:
        raise MammoError(
            table.intakes[0].path,
            field='columns',
            found=', '.join(table.attributes) or 'none besides ids, labels and scores',
            expected=f'also {", ".join(unknown)}',
            remedy='name columns of the table (--subgroup)',
        )
    numbers = [number for column in range(len(table.classes)) for number in class_numbers(table, column, settings)]
    report = _class_report(table, settings.threshold)
    if report is not None:
        numbers += _macro_numbers(table, settings)
        numbers += class_table_numbers(table, report, settings.threshold, settings.bootstrap, settings.seed)
    return ScoreSummary(
        table=table,
        settings=settings,
        numbers=by_key(numbers),
        classes=report,
        subgroups=_subgroups(table, settings),
    )


def class_numbers(
    table: ScoreTable, column: int, settings: ScoreSettings, keys: Sequence[str] = tuple(METRICS)
) -> list[Number]:
    """Metrics of one class, with intervals."""
    labels, scores = table.labels[:, column], table.scores[:, column]
    prefix, of = ('', '') if len(table.classes) == 1 else (f'{table.classes[column]}/', f', {table.classes[column]}')
    counts = counts_of(table, labels)
    probabilities = not _beyond_one(scores)
    readings = {key: _read(key, labels, scores, probabilities) for key in keys}
    numbers = [
        Number(prefix + key, METRICS[key] + of, float(value), counts, value.reason) for key, value in readings.items()
    ]
    if settings.bootstrap:
        known = [key for key in keys if probabilities or key not in OF_PROBABILITIES]
        numbers = with_interval(numbers, _interval(table, settings, keys, {k: ScoreMeasure(k, column) for k in known}))
    if len(set(table.patient_ids)) < len(table.ids):
        return numbers
    of_auc = prefix + 'auc'  # independent rows need no resampling
    return [_with_delong(number, labels, scores) if number.key == of_auc else number for number in numbers]


def counts_of(table: ScoreTable, labels: npt.NDArray[np.int64]) -> dict[str, int]:
    """What stands behind a number of these rows."""
    exams = len(set(table.exam_ids)) if all(table.exam_ids) else len(table.ids)
    return {
        'rows': len(labels),
        'positives': int(labels.sum()),
        'exams': exams,
        'patients': len(set(table.patient_ids)),
    }


def macro(table: ScoreTable, key: str, rows: npt.NDArray[np.int64]) -> Reading:
    """Mean of a metric over the classes; undefined where that of a class is."""
    readings = [read_statistic(key, table.labels[rows, i], table.scores[rows, i]) for i in range(len(table.classes))]
    undefined = [f'{name}: {one.reason}' for name, one in zip(table.classes, readings, strict=True) if one.reason]
    return Reading.undefined('; '.join(undefined)) if undefined else Reading(float(np.mean(readings)))


def read_statistic(key: str, labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64]) -> Reading:
    """One of :data:`METRICS`, of one class."""
    return SCORE_STATISTICS[key](labels > 0, scores, ScoreMeasure(key))


def measures_of(summary: ScoreSummary) -> dict[str, ScoreMeasure]:
    """Key -> how the number is read off the rows that were reported."""
    classes = summary.table.classes
    if len(classes) == 1:
        return {key: ScoreMeasure(key) for key in METRICS}
    of_class = {f'{name}/{key}': ScoreMeasure(key, i) for i, name in enumerate(classes) for key in METRICS}
    means = {f'macro/{key}': ScoreMeasure(f'{OF_ALL}{key}') for key in MACRO}
    return of_class | means | class_table_measures(classes, summary.settings.threshold)


def _macro_numbers(table: ScoreTable, settings: ScoreSettings) -> list[Number]:
    every = np.arange(len(table.ids))
    counts = counts_of(table, table.labels.max(axis=1, initial=0))
    readings = [macro(table, key, every) for key in MACRO]
    numbers = [
        Number(f'macro/{key}', f'{METRICS[key]}, mean over the classes', float(value), counts, value.reason)
        for key, value in zip(MACRO, readings, strict=True)
    ]
    if not settings.bootstrap:
        return numbers
    measures = {key: ScoreMeasure(f'{OF_ALL}{key}') for key in MACRO}
    return with_interval(numbers, _interval(table, settings, MACRO, measures))


def _interval(
    table: ScoreTable, settings: ScoreSettings, keys: Sequence[str], measures: Mapping[str, ScoreMeasure]
) -> Interval:
    """One entry per key; undefined for those without a measure. Patients are drawn."""
    read = score_reader((tuple(measures.values()), table)).of_weights
    places = [list(keys).index(key) for key in measures]

    def read_all(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        values = np.full((len(weights), len(keys)), np.nan)
        values[:, places] = read(weights)
        return values

    return weighted_bootstrap_ci(read_all, patients_in(table), settings.bootstrap, seed=settings.seed)


def _read(key: str, labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], probabilities: bool) -> Reading:
    if key in OF_PROBABILITIES and not probabilities:
        return Reading.undefined('the scores are sums, no probabilities')
    return read_statistic(key, labels, scores)


def _beyond_one(scores: npt.NDArray[np.float64]) -> bool:
    return bool(scores.max(initial=0) > 1)


def _with_delong(number: Number, labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64]) -> Number:
    delong = delong_interval(labels, scores)
    if delong.low.reason:
        return number
    return number.with_bounds(delong.low, delong.high, delong.level, DELONG)


def _class_report(table: ScoreTable, threshold: float) -> MultilabelReport | None:
    if len(table.classes) == 1:
        return None
    return multilabel_report(table.labels, (table.scores >= threshold).astype(int), table.classes)


def _subgroups(table: ScoreTable, settings: ScoreSettings) -> list[SubgroupRow]:
    units = {'exams': table.exam_ids} if all(table.exam_ids) else {}
    rows = subgroup_table(
        mean_auc_reader(table.labels > 0, table.scores),
        {name: table.attributes[name] for name in settings.subgroups},
        table.patient_ids,
        units=units,
        n=max(settings.bootstrap, 1),
        seed=settings.seed,
    )
    return rows if len(table.classes) > 1 else [_with_positives(row, table) for row in rows]


def _with_positives(row: SubgroupRow, table: ScoreTable) -> SubgroupRow:
    """With the number of its positive rows, on which the width of an AUC's interval hangs."""
    values = table.attributes.get(row.column, table.ids)
    chosen = np.array([not row.column or subgroup_label(value) == row.value for value in values])
    positives = int(table.labels[chosen, 0].sum())
    return replace(row, counts={'rows': row.counts['rows'], 'positives': positives, **row.counts})
