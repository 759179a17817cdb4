"""Precision, recall and F1 of several classes at a threshold, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmmammo.evaluation.functional import (
    MultilabelReport,
    ScoreMeasure,
    patients_in,
    score_reader,
    weighted_bootstrap_ci,
)
from mmmammo.evaluation.functional.score_measures import MULTI_LABEL
from mmmammo.evaluation.summary.numbers import Number, with_interval
from mmmammo.io.score_tables import ScoreTable

COLUMNS = {'precision': 'Precision', 'recall': 'Recall', 'f1': 'F1'}
AVERAGES = {'macro': 'mean over the classes', 'micro': 'all decisions together', 'weighted': 'mean weighted by support'}


def class_table_measures(classes: Sequence[str], threshold: float) -> dict[str, ScoreMeasure]:
    """``Mass/f1``, ``weighted/recall``, … -> how it is read off a table."""
    entries = [f'{row}/{column}' for row in (*classes, *AVERAGES) for column in COLUMNS]
    return {entry: ScoreMeasure(MULTI_LABEL, entry=entry, threshold=threshold) for entry in entries}


def class_table_numbers(
    table: ScoreTable, report: MultilabelReport, threshold: float, bootstrap: int, seed: int
) -> list[Number]:
    """The table of classes, with intervals.

    Args:
        table: Of several classes.
        report: Of the same.
        threshold: From which score on a class is called.
        bootstrap: Replicates; 0 for none.
        seed: Of the bootstrap.
    """
    rows = {row.name: row for row in (*report.classes, *report.averages)}
    measures = class_table_measures(table.classes, threshold)
    numbers = []
    for entry in measures:
        name, column = entry.rsplit('/', 1)
        value = getattr(rows[name], column)
        words = f'{COLUMNS[column]} from a score of {threshold:g} on, {AVERAGES.get(name, name)}'
        counts = {'rows': len(table.ids), 'positives': rows[name].support, 'patients': len(patients_in(table))}
        reason = rows[name].reasons.get(column) if math.isnan(value) else None
        numbers.append(Number(entry, words, value, counts, reason))
    if not bootstrap:
        return numbers
    read = score_reader((tuple(measures.values()), table)).of_weights
    return with_interval(numbers, weighted_bootstrap_ci(read, patients_in(table), bootstrap, seed=seed))
