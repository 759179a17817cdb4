"""Areas and operating points of one class on many draws of patients at once.

A draw weighs patients. The scores are sorted once for all draws; of each draw only the running sums are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.weighted_classes import sums_of_patients

ManyReader = Callable[[FloatArray], FloatArray]
"""(r, p) weights of patients -> (r, k) numbers; nan where undefined."""

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


@dataclass(frozen=True, eq=False)
class Sweep:
    """Weights at each distinct score, from the highest down.

    Args:
        positives: (r, t).
        negatives: (r, t).
    """

    positives: FloatArray
    negatives: FloatArray

    @cached_property
    def found(self) -> FloatArray:
        """(r, t) positives down to each score."""
        return np.cumsum(self.positives, axis=1)

    @cached_property
    def false(self) -> FloatArray:
        """(r, t) negatives down to each score."""
        return np.cumsum(self.negatives, axis=1)


Area = Callable[[Sweep], FloatArray]
"""(r, t) sweeps -> (r,) numbers."""


def _auc(sweep: Sweep) -> FloatArray:
    """The share of right pairs, ties one half; exact, as twice the pairs are whole numbers."""
    above = sweep.found - sweep.positives / 2  # half of the equal ones
    return ratio(np.einsum('rt,rt->r', above, sweep.negatives), sweep.found[:, -1] * sweep.false[:, -1])


def _auprc(sweep: Sweep) -> FloatArray:
    called = sweep.found + sweep.false
    precision = np.divide(sweep.found, called, out=np.zeros_like(called), where=called > 0)
    return ratio(np.einsum('rt,rt->r', sweep.positives, precision), sweep.found[:, -1])


def _sensitivity_at(specificity: float) -> Area:
    def read(sweep: Sweep) -> FloatArray:
        kept = _rest(sweep.false)
        place = (kept >= specificity).sum(axis=1) - 1  # it falls: the last threshold that will do, or no call
        at_place = np.take_along_axis(sweep.found, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        value = ratio(np.where(place < 0, 0.0, at_place), sweep.found[:, -1])
        return np.where(np.isnan(kept[:, -1]), np.nan, value)

    return read


def _specificity_at(sensitivity: float) -> Area:
    def read(sweep: Sweep) -> FloatArray:
        share = ratio(sweep.found, np.broadcast_to(sweep.found[:, -1:], sweep.found.shape))
        place = np.argmax(share >= sensitivity, axis=1)  # it rises: the first threshold that will do
        value = np.take_along_axis(_rest(sweep.false), place[:, None], axis=1)[:, 0]
        return np.where(sweep.found[:, -1] > 0, value, np.nan)

    return read


def _rest(down_to: FloatArray) -> FloatArray:
    """(r, t) share of the weights that is below each threshold."""
    total = np.broadcast_to(down_to[:, -1:], down_to.shape)
    return ratio(total - down_to, total)


def sweep_reader(rows: PatientRows, areas: Sequence[Area]) -> ManyReader:
    """Sort once; then weigh positives and negatives of each distinct score.

    Args:
        rows: What is read.
        areas: (k,) what is read off the weights.
    """
    order = np.argsort(-rows.scores, kind='stable')
    falling, patient, positive = rows.scores[order], rows.patient[order], rows.labels[order].astype(np.float64)

    def read_some(weights: FloatArray) -> FloatArray:
        drawn = np.flatnonzero(weights.max(axis=0)[patient])  # often the rows of one model of two
        begins = np.flatnonzero(np.diff(falling[drawn], prepend=np.inf))
        if not len(begins):
            return np.full((len(weights), len(areas)), np.nan)
        of_all = weights[:, patient[drawn]]
        positives = of_all * positive[drawn]
        negatives = of_all - positives
        if len(begins) < len(drawn):
            positives, negatives = (np.add.reduceat(part, begins, axis=1) for part in (positives, negatives))
        sweep = Sweep(positives, negatives)
        return np.stack([area(sweep) for area in areas], axis=1)

    def read(weights: FloatArray) -> FloatArray:
        num_parts = -(-len(weights) * max(len(falling), 1) // _CELLS_AT_ONCE)
        return np.concatenate([read_some(part) for part in np.array_split(weights, min(num_parts, len(weights)))])

    return read


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
        sweep_reader(PatientRows(positive, column, np.arange(num_rows), num_rows), [_auc])
        for positive, column in zip(labels.T, scores.T, strict=True)
    ]

    def read(rows: IntArray) -> FloatArray:
        weights = np.bincount(rows, minlength=num_rows)[None].astype(np.float64)
        mean: FloatArray = np.concatenate([read_class(weights) for read_class in of_classes], axis=1).mean(axis=1)
        return mean

    return read


def ratio(parts: FloatArray, wholes: FloatArray) -> FloatArray:
    """Parts of wholes; nan where there is no whole."""
    ratios: FloatArray = np.divide(parts, wholes, out=np.full(np.shape(parts), np.nan), where=wholes > 0)
    return ratios


SWEPT: Mapping[str, Area] = {
    'auc': _auc,
    'auprc': _auprc,
    'sensitivity@specificity0.80': _sensitivity_at(0.8),
    'sensitivity@specificity0.90': _sensitivity_at(0.9),
    'specificity@sensitivity0.90': _specificity_at(0.9),
}
"""Statistic -> how it is read off a sweep."""
