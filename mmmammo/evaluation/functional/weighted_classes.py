"""The table of a multi-label classifier on many draws of patients at once.

Everything in the table is a ratio of counts, or a mean of such ratios, and counts of drawn patients are weighted sums
of the counts of each: one matrix product gives those of all draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.multilabel import (
    MULTILABEL_AVERAGES,
    MULTILABEL_COLUMNS,
    label_ratios,
    mean_ratios,
)


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Counts of each patient.

    Args:
        names: (c,) of the classes.
        hits: (p, c) rows that have a class and are called to have it.
        called: (p, c) rows that are called to have it.
        support: (p, c) rows that have it.
        rows: (p,).
        right: (p,) rows with every class right.
        row_sums: (p, 4) sums over the rows of their own accuracy, precision, recall and F1, those that are defined.
        row_counts: (p, 4) of how many rows.
        undefined_as: What takes the place of a ratio without denominator.
    """

    names: tuple[str, ...]
    hits: FloatArray
    called: FloatArray
    support: FloatArray
    rows: FloatArray
    right: FloatArray
    row_sums: FloatArray
    row_counts: FloatArray
    undefined_as: float

    def entries(self, weights: FloatArray) -> dict[str, FloatArray]:
        """(r,) numbers of r tables, under the names of ``MultilabelReport.as_dict``.

        The numbers are those of :func:`~mmmammo.evaluation.functional.multilabel_report` to the last bit, but for the
        ``samples`` row, whose sums run in another order.

        Args:
            weights: (r, p) how often each patient was drawn.
        """
        hits, called, support = (weights @ counts for counts in (self.hits, self.called, self.support))
        n = (weights @ self.rows)[:, None]
        ratios = self._filled(label_ratios(hits, called, support, n))
        all_hits, all_called, all_support = (counts.sum(axis=1, keepdims=True) for counts in (hits, called, support))
        averages = {
            'macro': mean_ratios(ratios, np.ones(len(self.names))),
            'micro': label_ratios(all_hits, all_called, all_support, n * len(self.names))[..., 0],
            'weighted': mean_ratios(ratios, support[:, None]),
            'samples': _share(weights @ self.row_sums, weights @ self.row_counts),
        }
        found = {name: (ratios[..., i], called[:, i], support[:, i]) for i, name in enumerate(self.names)}
        of_all = all_called[:, 0], all_support[:, 0]
        found |= {name: (self._filled(averages[name]), *of_all) for name in MULTILABEL_AVERAGES}
        entries: dict[str, FloatArray] = {}
        for name, (values, num_called, num_support) in found.items():
            entries |= {f'{name}/{column}': values[:, i] for i, column in enumerate(MULTILABEL_COLUMNS)}
            entries |= {f'{name}/support': num_support, f'{name}/predicted': num_called}
        return entries | {'subset_accuracy': _share(weights @ self.right, n[:, 0]), 'n_rows': n[:, 0]}

    def _filled(self, ratios: FloatArray) -> FloatArray:
        filled: FloatArray = np.where(np.isnan(ratios), self.undefined_as, ratios)
        return filled


def label_counts(
    names: tuple[str, ...],
    labels: BoolArray,
    called: BoolArray,
    patient: IntArray,
    num_patients: int,
    undefined_as: float = np.nan,
) -> LabelCounts:
    """Count, patient by patient.

    Args:
        names: (c,) of the classes.
        labels: (u, c).
        called: (u, c).
        patient: (u,) number of the patient of each row.
        num_patients: How many there are; some may have no row.
        undefined_as: See :func:`~mmmammo.evaluation.functional.multilabel_report`.
    """
    per_row = label_ratios((labels & called).sum(axis=1), called.sum(axis=1), labels.sum(axis=1), labels.shape[1]).T
    per_row = np.where(np.isnan(per_row), undefined_as, per_row)
    defined = ~np.isnan(per_row)
    columns = labels & called, called, labels, defined, np.where(defined, per_row, 0.0)
    hits, of_called, support, row_counts, row_sums = (
        sums_of_patients(values, patient, num_patients) for values in columns
    )
    rows, right = (
        sums_of_patients(values[:, None], patient, num_patients)[:, 0]
        for values in (np.ones(len(labels)), (labels == called).all(axis=1))
    )
    return LabelCounts(names, hits, of_called, support, rows, right, row_sums, row_counts, undefined_as)


def sums_of_patients(values: FloatArray | BoolArray, patient: IntArray, num_patients: int) -> FloatArray:
    """(p, k) sums over the rows of each patient.

    Args:
        values: (u, k).
        patient: (u,).
        num_patients: p.
    """
    sums = np.zeros((num_patients, values.shape[1]))
    np.add.at(sums, patient, values.astype(np.float64))
    return sums


def _share(parts: FloatArray, wholes: FloatArray) -> FloatArray:
    shares: FloatArray = np.divide(parts, wholes, out=np.full_like(parts, np.nan), where=wholes > 0)
    return shares
