"""F1 of out-of-fold scores at thresholds that never saw the rows they are applied to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.labelled_scores import labelled_scores, option, same_length
from mmmammo.evaluation.functional.probabilistic_f1 import best_binarised_f1, binarised_f1
from mmmammo.evaluation.functional.reading import Reading


@dataclass(frozen=True)
class FoldF1:
    """One fold.

    Args:
        fold: As given.
        threshold: The best of all other folds.
        value: F-beta of this fold there.
    """

    fold: Any
    threshold: Reading
    value: Reading


@dataclass(frozen=True)
class HeldOutF1:
    """F-beta at frozen thresholds.

    Args:
        value: Of all rows together, each called at the threshold of its fold.
        folds: One by one, in order.
    """

    value: Reading
    folds: tuple[FoldF1, ...]


def held_out_f1(
    labels: npt.ArrayLike,
    probs: npt.ArrayLike,
    folds: Sequence[Any],
    thresholds: npt.ArrayLike | None = None,
    beta: float = 1.0,
    *,
    inclusive: bool = True,
) -> HeldOutF1:
    """Choose a threshold on all other folds, report it on this one; fold by fold.

    The honest companion of :func:`~mmmammo.evaluation.functional.probabilistic_f1.best_binarised_f1`, whose threshold
    is chosen on the very rows it is reported on.

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1], each from a model that was not trained on its row.
        folds: (n,) the fold of each row; rows of one patient belong together.
        thresholds: (t,) to try; by default every one that makes a difference.
        beta: Weight of recall against precision.
        inclusive: ``False`` to call ``probs > threshold``.

    Returns:
        nan with its reason for a fold without positives; and for all, where the other folds of some fold have none.

    Raises:
        MammoError: On malformed labels, probabilities or thresholds, or fewer than two folds.
    """
    is_positive, values = labelled_scores('held_out_f1', labels, probs, probabilities=True)
    same_length('held_out_f1', labels=is_positive, folds=folds)
    names, number = np.unique(np.asarray(folds), return_inverse=True)
    option('held_out_f1', 'folds', f'{len(names)} fold', 'at least two', good=len(names) > 1)
    rows, called = [], np.zeros(len(values), dtype=bool)
    for index, name in enumerate(names.tolist()):
        own = number == index
        threshold = best_binarised_f1(is_positive[~own], values[~own], thresholds, beta, inclusive=inclusive).threshold
        if threshold.reason:
            rows.append(FoldF1(name, threshold, Reading.undefined(f'other folds: {threshold.reason}')))
            continue
        rows.append(
            FoldF1(name, threshold, binarised_f1(is_positive[own], values[own], threshold, beta, inclusive=inclusive))
        )
        called[own] = values[own] >= threshold if inclusive else values[own] > threshold
    unknown = [row.threshold.reason for row in rows if row.threshold.reason]
    if unknown:
        return HeldOutF1(Reading.undefined(f'other folds: {unknown[0]}'), tuple(rows))
    return HeldOutF1(binarised_f1(is_positive, called.astype(np.float64), 0.5, beta), tuple(rows))
