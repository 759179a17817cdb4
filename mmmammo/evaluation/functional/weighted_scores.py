"""Numbers of one class on many draws of patients at once.

A draw weighs patients. What is a sum over rows, and F1 at given thresholds is made of such sums, needs one matrix
product for all draws; the areas need one sorting for all, and a running sum for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.probabilistic_f1 import RSNA_THRESHOLDS
from mmmammo.evaluation.functional.score_measures import HELD_OUT, ScoreMeasure
from mmmammo.evaluation.functional.weighted_classes import sums_of_patients

WeightReader = Callable[[FloatArray], FloatArray]
"""(r, p) weights of patients -> (r,) numbers; nan where undefined."""

_ECE_BINS = 10
_CELLS_AT_ONCE = 1 << 18  # a few MB per array: stays in the cache


@dataclass(frozen=True, eq=False)
class PatientRows:
    """Rows of one class.

    Args:
        labels: (u,) bool.
        scores: (u,).
        patient: (u,) number of the patient.
        num_patients: p.
        folds: (u,) number of the fold, where it matters.
    """

    labels: BoolArray
    scores: FloatArray
    patient: IntArray
    num_patients: int
    folds: IntArray | None = None

    def sums(self, *columns: FloatArray | BoolArray) -> FloatArray:
        """(p, k) sums of (u,) columns over the rows of each patient."""
        rows = np.stack([column.astype(np.float64) for column in columns], axis=1)
        return sums_of_patients(rows, self.patient, self.num_patients)


def weighted_statistic(measure: ScoreMeasure, statistic: str, rows: PatientRows) -> WeightReader | None:
    """What reads a statistic of one class; ``None`` if it has to be read draw by draw.

    Args:
        measure: Its settings.
        statistic: Its name, without ``macro_``.
        rows: Checked: what the statistic refuses is refused by the statistic itself, on all rows.
    """
    make = _READERS.get(statistic)
    return None if make is None else make(measure, rows)


def mean_auc_reader(labels: BoolArray, scores: FloatArray) -> Callable[[IntArray], FloatArray]:
    """The mean of the AUCs of several classes on any rows, sorted once, for :func:`bootstrap_ci` and its like.

    Args:
        labels: (u, c).
        scores: (u, c).

    Returns:
        A function of row indices, which may repeat: (1,), nan where the AUC of a class is undefined.
    """
    num_rows = len(labels)
    of_classes = [
        _auc(ScoreMeasure('auc'), PatientRows(positive, column, np.arange(num_rows), num_rows))
        for positive, column in zip(labels.T, scores.T, strict=True)
    ]

    def read(rows: IntArray) -> FloatArray:
        weights = np.bincount(rows, minlength=num_rows)[None].astype(np.float64)
        mean: FloatArray = np.stack([of_class(weights) for of_class in of_classes], axis=1).mean(axis=1)
        return mean

    return read


def _auc(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    """The share of right pairs, ties one half; exact, as twice the pairs are whole numbers."""

    def area(positives: FloatArray, negatives: FloatArray) -> FloatArray:
        above = np.cumsum(positives, axis=1) - positives / 2  # of falling scores: half of the equal ones
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        return _ratio((above * negatives).sum(axis=1), pairs)

    return _sweeping(rows, area)


def _auprc(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    def area(positives: FloatArray, negatives: FloatArray) -> FloatArray:
        found = np.cumsum(positives, axis=1)
        called = found + np.cumsum(negatives, axis=1)
        precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
        return _ratio((positives * precision).sum(axis=1), found[:, -1])

    return _sweeping(rows, area)


def _sensitivity_at(specificity: float) -> Callable[[ScoreMeasure, PatientRows], WeightReader]:
    def read(positives: FloatArray, negatives: FloatArray) -> FloatArray:
        found = np.cumsum(positives, axis=1)
        kept = _rest(negatives, np.cumsum(negatives, axis=1))
        place = (kept >= specificity).sum(axis=1) - 1  # it falls: the last threshold that will do, or no call
        at_place = np.take_along_axis(found, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        value = _ratio(np.where(place < 0, 0.0, at_place), found[:, -1])
        return np.where(np.isnan(kept[:, -1]), np.nan, value)

    return lambda _, rows: _sweeping(rows, read)


def _specificity_at(sensitivity: float) -> Callable[[ScoreMeasure, PatientRows], WeightReader]:
    def read(positives: FloatArray, negatives: FloatArray) -> FloatArray:
        found, kept = np.cumsum(positives, axis=1), _rest(negatives, np.cumsum(negatives, axis=1))
        share = _ratio(found, np.broadcast_to(found[:, -1:], found.shape))
        place = np.argmax(share >= sensitivity, axis=1)  # it rises: the first threshold that will do
        value = np.take_along_axis(kept, place[:, None], axis=1)[:, 0]
        return np.where(found[:, -1] > 0, value, np.nan)

    return lambda _, rows: _sweeping(rows, read)


def _rest(weights: FloatArray, down_to: FloatArray) -> FloatArray:
    """(r, t) share of the weights that is below each threshold."""
    total = np.broadcast_to(down_to[:, -1:], weights.shape)
    return _ratio(total - down_to, total)


def _sweeping(rows: PatientRows, area: Callable[[FloatArray, FloatArray], FloatArray]) -> WeightReader:
    """Sort once; then weigh positives and negatives of each distinct score, from the highest down.

    Args:
        rows: What is read.
        area: (r, t) weights of positives and of negatives -> (r,).
    """
    order = np.argsort(-rows.scores, kind='stable')
    falling, patient, positive = rows.scores[order], rows.patient[order], rows.labels[order].astype(np.float64)

    def read_some(weights: FloatArray) -> FloatArray:
        drawn = np.flatnonzero(weights.max(axis=0)[patient])  # often the rows of one model of two
        begins = np.flatnonzero(np.diff(falling[drawn], prepend=np.inf))
        if not len(begins):
            return np.full(len(weights), np.nan)
        of_all = weights[:, patient[drawn]]
        of_positives = of_all * positive[drawn]
        positives, negatives = (
            of_rows if len(begins) == len(drawn) else np.add.reduceat(of_rows, begins, axis=1)
            for of_rows in (of_positives, of_all - of_positives)
        )
        return area(positives, negatives)

    def read(weights: FloatArray) -> FloatArray:
        num_parts = -(-len(weights) * max(len(falling), 1) // _CELLS_AT_ONCE)
        return np.concatenate([read_some(part) for part in np.array_split(weights, min(num_parts, len(weights)))])

    return read


def _pf1(measure: ScoreMeasure, rows: PatientRows) -> WeightReader:
    sums = rows.sums(rows.scores * rows.labels, rows.scores, rows.labels)
    square = measure.beta**2

    def read(weights: FloatArray) -> FloatArray:
        found, called, positives = (weights @ sums).T
        value = _ratio((1 + square) * found, square * positives + called)
        return np.where(positives > 0, np.where(found > 0, value, 0.0), np.nan)

    return read


def _brier(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    sums = rows.sums((rows.scores - rows.labels) ** 2, np.ones(len(rows.scores)))
    return lambda weights: _ratio(*(weights @ sums).T)


def _ece(_: ScoreMeasure, rows: PatientRows) -> WeightReader:
    """Bins are of equal width, so that no draw moves them."""
    bins = np.searchsorted(np.linspace(0, 1, _ECE_BINS + 1)[1:-1], rows.scores, side='left')
    inside = [bins == one for one in range(_ECE_BINS)]
    gaps = rows.sums(*((rows.labels - rows.scores) * one for one in inside))
    counts = rows.sums(np.ones(len(bins)))[:, 0]
    return lambda weights: _ratio(np.abs(weights @ gaps).sum(axis=1), weights @ counts)


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


def _ratio(parts: FloatArray, wholes: FloatArray) -> FloatArray:
    ratios: FloatArray = np.divide(parts, wholes, out=np.full(np.shape(parts), np.nan), where=wholes > 0)
    return ratios


_READERS: Mapping[str, Callable[[ScoreMeasure, PatientRows], WeightReader]] = {
    'auc': _auc,
    'auprc': _auprc,
    'pf1': _pf1,
    'sensitivity@specificity0.80': _sensitivity_at(0.8),
    'sensitivity@specificity0.90': _sensitivity_at(0.9),
    'specificity@sensitivity0.90': _specificity_at(0.9),
    'brier': _brier,
    'ece': _ece,
    'f1': _f1,
    'best_f1': _best_f1,
    'best_threshold': _best_threshold,
    HELD_OUT: _held_out,
}
