"""Precision, recall, F1 and accuracy of multi-label predictions, class by class and averaged.

From the counts of each class (or of each row, for ``samples``):

    accuracy = (tp + tn) / all    precision = tp / (tp + fp)    recall = tp / (tp + fn)    F1 = 2 tp / (2 tp + fp + fn)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import option, same_length
from mmmammo.structures import MammoError

MULTILABEL_COLUMNS = ('accuracy', 'precision', 'recall', 'f1')
MULTILABEL_AVERAGES = ('macro', 'micro', 'weighted', 'samples')
_NO_DENOMINATOR = {
    'accuracy': 'no row',
    'precision': 'never predicted',
    'recall': 'does not occur',
    'f1': 'neither occurs nor predicted',
}


@dataclass(frozen=True)
class MultilabelRow:
    """One line of the table.

    Args:
        name: Class, or ``'macro'``, ``'micro'``, ``'weighted'``, ``'samples'``.
        accuracy: Share of right decisions.
        precision: Share of the predicted that occur.
        recall: Share of the occurring that are predicted.
        f1: Harmonic mean of the two.
        support: How often the class occurs; in an average, all classes together.
        predicted: How often it is predicted.
        reasons: Column -> why it is nan or, in an average, which classes it leaves out because they are.
    """

    name: str
    accuracy: float
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MultilabelReport:
    """The whole table.

    Args:
        classes: One row per class, in the order given, whether or not it occurs.
        averages: Rows ``macro``, ``micro``, ``weighted``, ``samples`` (in that order); without ``samples`` when made
            from counts.
        subset_accuracy: Share of rows with every class right; nan when made from counts.
        n_rows: Images, patches or exams.
    """

    classes: tuple[MultilabelRow, ...]
    averages: tuple[MultilabelRow, ...]
    subset_accuracy: float
    n_rows: int

    def as_dict(self) -> dict[str, float]:
        """``'Mass/f1'``, ``'macro/recall'``, … -> value, in the order of the table."""
        columns = (*MULTILABEL_COLUMNS, 'support', 'predicted')
        numbers = {f'{row.name}/{name}': getattr(row, name) for row in self.classes + self.averages for name in columns}
        return numbers | {'subset_accuracy': self.subset_accuracy, 'n_rows': self.n_rows}


def multilabel_report(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, class_names: Sequence[str], undefined_as: float = np.nan
) -> MultilabelReport:
    """The table of multi-hot predictions.

    Args:
        labels: (n, c) 0 or 1.
        predictions: (n, c) 0 or 1: scores after their threshold.
        class_names: (c,), each once.
        undefined_as: What takes the place of a ratio without denominator: nan (left out of averages, with a reason),
            or 0, which many published tables print and which lowers the averages.

    Raises:
        MammoError: If shapes differ, a value is neither 0 nor 1, or a class name repeats.
    """
    truth = _multi_hot('labels', labels, class_names)
    called = _multi_hot('predictions', predictions, class_names)
    same_length('multilabel_report', labels=truth, predictions=called)
    tp, support, predicted = (part.sum(axis=0) for part in (truth & called, truth, called))
    report = multilabel_report_from_counts(tp, predicted, support, len(truth), class_names, undefined_as)
    per_row = label_ratios((truth & called).sum(axis=1), called.sum(axis=1), truth.sum(axis=1), truth.shape[1])
    every_row = np.ones(len(truth))
    samples = _average('samples', per_row, every_row, (support, predicted), 'rows', undefined_as)
    right = (truth == called).all(axis=1)
    subset_accuracy = float(right.mean()) if len(right) else float('nan')
    return MultilabelReport(report.classes, (*report.averages, samples), subset_accuracy, len(truth))


def multilabel_report_from_counts(
    true_positives: npt.ArrayLike,
    predicted: npt.ArrayLike,
    support: npt.ArrayLike,
    n_rows: int,
    class_names: Sequence[str],
    undefined_as: float = np.nan,
) -> MultilabelReport:
    """The same from counts, for instance those behind a published table.

    Args:
        true_positives: (c,).
        predicted: (c,) rows predicted to have the class.
        support: (c,) rows that have it.
        n_rows: All rows.
        class_names: (c,), each once.
        undefined_as: See :func:`multilabel_report`.

    Raises:
        MammoError: If the counts contradict each other, or a class name repeats.
    """
    counts = [np.asarray(count) for count in (true_positives, predicted, support)]
    _check_counts(counts, n_rows, class_names)
    tp, called, occurs = (count.astype(np.int64) for count in counts)
    ratios = label_ratios(tp, called, occurs, n_rows)
    classes = tuple(
        _row(name, ratios[:, i], (int(occurs[i]), int(called[i])), undefined_as) for i, name in enumerate(class_names)
    )
    all_tp, all_called, all_occur = (np.array([count.sum()], dtype=np.int64) for count in (tp, called, occurs))
    micro = label_ratios(all_tp, all_called, all_occur, n_rows * len(class_names))[:, 0]
    averages = (
        _average('macro', ratios, np.ones(len(class_names)), (occurs, called), 'classes', undefined_as),
        _row('micro', micro, (int(all_occur[0]), int(all_called[0])), undefined_as),
        _average('weighted', ratios, occurs.astype(np.float64), (occurs, called), 'classes', undefined_as),
    )
    return MultilabelReport(classes, averages, float('nan'), n_rows)


def weighted_mean(values: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """Mean of the values that are not nan, weighted; nan if no weight is left."""
    numbers, shares = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    option('weighted_mean', 'weights', f'shape {shares.shape}', f'{numbers.shape}', good=shares.shape == numbers.shape)
    defined = ~np.isnan(numbers)
    total = shares[defined].sum()
    return float(numbers[defined] @ shares[defined] / total) if total > 0 else float('nan')


def with_no_finding(multi_hot: npt.ArrayLike) -> BoolArray:
    """(n, c) findings with a first column that holds where none is: the derived "No Finding" of paper 1."""
    findings = np.asarray(multi_hot, dtype=np.bool_)
    option('with_no_finding', 'multi_hot', f'shape {findings.shape}', '(n, c)', good=findings.ndim == 2)
    return np.concatenate([~findings.any(axis=1, keepdims=True), findings], axis=1)


def label_ratios(
    tp: npt.NDArray[np.integer | np.floating],
    predicted: npt.NDArray[np.integer | np.floating],
    support: npt.NDArray[np.integer | np.floating],
    n: int | npt.NDArray[np.integer | np.floating],
) -> FloatArray:
    """Accuracy, precision, recall and F1 of counts, of one table or of many at once.

    Args:
        tp: (…, k) true positives.
        predicted: (…, k).
        support: (…, k).
        n: Rows; for many tables (…, 1).

    Returns:
        (…, 4, k) in the order of :data:`MULTILABEL_COLUMNS`; nan without denominator.
    """
    wrong = predicted + support - 2 * tp
    parts = np.stack([n - wrong, tp, tp, 2 * tp], axis=-2).astype(np.float64)
    wholes = np.stack([np.broadcast_to(n, tp.shape), predicted, support, predicted + support], axis=-2)
    ratios: FloatArray = np.divide(parts, wholes, out=np.full_like(parts, np.nan), where=wholes > 0)
    return ratios


def mean_ratios(ratios: FloatArray, weights: npt.NDArray[np.integer | np.floating]) -> FloatArray:
    """Means of the ratios that are not nan.

    Args:
        ratios: (…, 4, k).
        weights: (…, 1, k) or (k,).

    Returns:
        (…, 4); nan where no weight is left.
    """
    defined = ~np.isnan(ratios)
    total = np.where(defined, weights, 0.0).sum(axis=-1)
    summed = np.where(defined, ratios * weights, 0.0).sum(axis=-1)
    means: FloatArray = np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)
    return means


def _row(name: str, ratios: FloatArray, counts: tuple[int, int], undefined_as: float) -> MultilabelRow:
    reasons = {
        column: _NO_DENOMINATOR[column]
        for column, ratio in zip(MULTILABEL_COLUMNS, ratios, strict=True)
        if np.isnan(ratio)
    }
    return MultilabelRow(name, *_filled(ratios, undefined_as), *counts, reasons)


def _average(
    name: str,
    ratios: FloatArray,
    weights: FloatArray,
    counts: tuple[IntArray, IntArray],
    of: str,
    undefined_as: float,
) -> MultilabelRow:
    left_out = np.isnan(ratios).sum(axis=1)
    reasons = {
        column: f'{num} of {ratios.shape[1]} {of} {"left out" if np.isnan(undefined_as) else "undefined"}'
        for column, num in zip(MULTILABEL_COLUMNS, left_out, strict=True)
        if num
    }
    filled = np.where(np.isnan(ratios), undefined_as, ratios)
    means = mean_ratios(filled, weights)
    totals = int(counts[0].sum()), int(counts[1].sum())
    return MultilabelRow(name, *_filled(means, undefined_as), *totals, reasons)


def _filled(ratios: FloatArray, undefined_as: float) -> tuple[float, float, float, float]:
    accuracy, precision, recall, f1 = np.where(np.isnan(ratios), undefined_as, ratios).tolist()
    return accuracy, precision, recall, f1


def _multi_hot(field: str, values: npt.ArrayLike, class_names: Sequence[str]) -> BoolArray:
    shape = f'(n, {len(class_names)})'
    try:
        array = np.asarray(values)
    except ValueError as err:  # rows of unequal length
        found, remedy = 'rows of unequal length', 'give every row one column per class name'
        raise MammoError(
            'multilabel_report', field=field, found=found, expected=f'0 and 1 of shape {shape}', remedy=remedy
        ) from err
    if array.ndim != 2 or array.shape[1] != len(class_names) or array.dtype.kind not in 'biuf':
        raise MammoError(
            'multilabel_report',
            field=field,
            found=f'{array.dtype} of shape {array.shape}',
            expected=f'0 and 1 of shape {shape}',
            remedy='give one column per class name',
        )
    good = (array == 0) | (array == 1)
    if not good.all():
        row, column = (int(i) for i in np.argwhere(~good)[0])
        raise MammoError(
            'multilabel_report',
            field=f'{field}[{row}], class {class_names[column]!r}',
            found=array[row, column],
            expected='0 or 1',
            remedy='apply the threshold to scores first',
        )
    return array.astype(np.bool_)


def _check_counts(counts: list[npt.NDArray[Any]], n_rows: int, class_names: Sequence[str]) -> None:
    repeated = sorted({name for name in class_names if list(class_names).count(name) > 1})
    shapes = {count.shape for count in counts}
    kinds = {str(count.dtype) for count in counts if count.dtype.kind not in 'iu'}
    for found, expected, good in (
        (f'{repeated} more than once', 'each class name once', not repeated),
        (f'counts of shape {sorted(shapes)}', f'({len(class_names)},)', shapes == {(len(class_names),)}),
        (f'counts of type {sorted(kinds)}', 'whole numbers', not kinds),
    ):
        if not good:
            raise MammoError('multilabel_report', field='classes', found=found, expected=expected, remedy='correct it')
    tp, predicted, support = counts
    good_counts = (tp >= 0) & (tp <= predicted) & (tp <= support) & (predicted + support - tp <= n_rows)
    if not good_counts.all():
        i = int(np.argmin(good_counts))
        raise MammoError(
            'multilabel_report',
            field=f'counts of class {class_names[i]!r}',
            found=f'{tp[i]} true positives, {predicted[i]} predicted, {support[i]} occurring of {n_rows} rows',
            expected='at most as many true positives as predicted and as occurring, and all within the rows',
            remedy='count again',
        )
