"""Numbers of one class on many draws of patients at once.

A draw weighs patients. What is a sum over rows, and F1 at given thresholds is made of such sums, needs one matrix
product for all draws; for the areas see :mod:`~mmmammo.evaluation.functional.weighted_sweeps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.evaluation.functional.probabilistic_f1 import RSNA_THRESHOLDS
from mmmammo.evaluation.functional.score_measures import HELD_OUT, ScoreMeasure
from mmmammo.evaluation.functional.weighted_sweeps import SWEPT, ManyReader, PatientRows, ratio, sweep_reader

WeightReader = Callable[[FloatArray], FloatArray]
"""(r, p) weights of patients -> (r,) numbers; nan where undefined."""

_ECE_BINS = 10


def weighted_statistics(measures: Sequence[ScoreMeasure], rows: PatientRows) -> tuple[list[ScoreMeasure], ManyReader]:
    """Those of several measures of one class that can be read of many draws at once, and what reads them.

    Args:
        measures: Statistics and their settings.
        rows: Checked: what a statistic refuses is refused by the statistic itself, on all rows.

    Returns:
        Some of the measures, and a function of (r, p) weights that gives (r, some). Others are to be read draw by draw.
    """
    swept = [measure for measure in measures if measure.statistic in SWEPT]
    summed = [measure for measure in measures if measure.statistic in _OF_SUMS]
    readers = [_OF_SUMS[measure.statistic](measure, rows) for measure in summed]
    sweep = sweep_reader(rows, [SWEPT[measure.statistic] for measure in swept]) if swept else None

    def read(weights: FloatArray) -> FloatArray:
        columns = [reader(weights)[:, None] for reader in readers]
        return np.concatenate([*([sweep(weights)] if sweep else []), *columns], axis=1)

    return swept + summed, read


def _pf1(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    sums = rows.sums(rows.scores * rows.labels, rows.scores, rows.labels)
    square = measure.beta**2

    def read(weights: FloatArray) -> FloatArray:
        found, called, positives = (weights @ sums).T
        value = ratio((1 + square) * found, square * positives + called)
        return np.where(positives > 0, np.where(found > 0, value, 0.0), np.nan)

    return read


def _brier(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    sums = rows.sums((rows.scores - rows.labels) ** 2, np.ones(len(rows.scores)))
    return lambda weights: ratio(*(weights @ sums).T)


def _ece(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    """Bins are of equal width, so that no draw moves them."""
    bins = np.searchsorted(np.linspace(0, 1, _ECE_BINS + 1)[1:-1], rows.scores, side='left')
    inside = [bins == one for one in range(_ECE_BINS)]
    gaps = rows.sums(*((rows.labels - rows.scores) * one for one in inside))
    counts = rows.sums(np.ones(len(bins)))[:, 0]
    return lambda weights: ratio(np.abs(weights @ gaps).sum(axis=1), weights @ counts)


@dataclass(frozen=True, eq=False)
class _Calls:
    """Counts of each patient at thresholds, from the highest down.

    Args:
        thresholds: (t,).
        hits: (p, t) positives that are called.
        called: (p, t).
        positives: (p,).
        square: Of beta.
    """

    thresholds: FloatArray
    hits: FloatArray
    called: FloatArray
    positives: FloatArray
    square: float

    @classmethod
    def of(cls, measure: ScoreMeasure, rows: PatientRows, thresholds: FloatArray, *, inclusive: bool) -> _Calls:
        falling = np.sort(thresholds)[::-1]
        called = [rows.scores >= t if inclusive else rows.scores > t for t in falling]
        hits = rows.sums(*(one & rows.labels for one in called))
        return cls(falling, hits, rows.sums(*called), rows.sums(rows.labels)[:, 0], measure.beta**2)

    def f_scores(self, hits: FloatArray, called: FloatArray, positives: FloatArray) -> FloatArray:
        """F-beta of counts; nan without positives."""
        scores = np.full(np.broadcast_shapes(hits.shape, positives.shape), np.nan)
        some = np.broadcast_to(positives > 0, scores.shape)
        np.divide((1 + self.square) * hits, self.square * positives + called, out=scores, where=some)
        return scores

    def best(self, weights: FloatArray) -> tuple[FloatArray, IntArray]:
        """(r,) the greatest F-beta, and the place of the highest threshold that has it."""
        positives = (weights @ self.positives)[:, None]
        scores = self.f_scores(weights @ self.hits, weights @ self.called, positives)
        place = np.argmax(scores, axis=1)
        return np.take_along_axis(scores, place[:, None], axis=1)[:, 0], place


def _f1(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    calls = _Calls.of(measure, rows, np.atleast_1d(np.asarray(measure.threshold, dtype=np.float64)), inclusive=True)
    return lambda weights: calls.best(weights)[0]


def _best_f1(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    calls = _Calls.of(measure, rows, RSNA_THRESHOLDS, inclusive=False)
    return lambda weights: calls.best(weights)[0]


def _best_threshold(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    calls = _Calls.of(measure, rows, RSNA_THRESHOLDS, inclusive=False)

    def read(weights: FloatArray) -> FloatArray:
        value, place = calls.best(weights)
        return np.where(np.isnan(value), np.nan, calls.thresholds[place])

    return read


def _held_out(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    """Each fold is called at the best threshold of the other folds of the same draw."""
    calls = _Calls.of(measure, rows, RSNA_THRESHOLDS, inclusive=False)
    fold_of = np.full(rows.num_patients, -1)
    fold_of[rows.patient] = 0 if rows.folds is None else rows.folds
    masks = [fold_of == fold for fold in np.unique(fold_of[fold_of >= 0])]

    def read(weights: FloatArray) -> FloatArray:
        hits, called = np.zeros(len(weights)), np.zeros(len(weights))
        present, undefined = np.zeros(len(weights)), np.zeros(len(weights), dtype=bool)
        for own in masks:
            inside, others = weights[:, own], weights * ~own
            value, place = calls.best(others)
            drawn = inside.any(axis=1)
            present += drawn
            undefined |= drawn & np.isnan(value)
            for total, counts in ((hits, calls.hits), (called, calls.called)):
                total += np.take_along_axis(inside @ counts[own], place[:, None], axis=1)[:, 0]
        f_score = calls.f_scores(hits, called, weights @ calls.positives)
        return np.where(undefined | (present < 2), np.nan, f_score)

    return read


_OF_SUMS: Mapping[str, Callable[[ScoreMeasure, PatientRows], WeightReader]] = {
    'pf1': _pf1,
    'brier': _brier,
    'ece': _ece,
    'f1': _f1,
    'best_f1': _best_f1,
    'best_threshold': _best_threshold,
    HELD_OUT: _held_out,
}
