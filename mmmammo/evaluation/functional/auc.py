"""Area under the ROC curve: the share of (positive, negative) pairs that the scores put in the right order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, one_class_reason, option
from mmmammo.evaluation.functional.reading import Reading


@dataclass(frozen=True, eq=False)
class FoldAUC:
    """AUC of a cross-validation, both ways of putting the folds together.

    Args:
        pooled: Of all rows at once; it also compares scores of different folds' models.
        mean: Mean over the folds; nan when one of them is undefined.
        per_fold: Fold -> AUC, in sorted order.
    """

    pooled: Reading
    mean: Reading
    per_fold: Mapping[str, Reading]


def auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Reading:
    """AUC by ranks (Mann-Whitney U over the number of pairs); a tied pair counts one half.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite, on any scale.

    Returns:
        In [0, 1]; nan with its reason when a class is missing.

    Raises:
        MammoError: On malformed labels or scores.
    """
    is_positive, values = labelled_scores('auc', labels, scores)
    reason = one_class_reason(is_positive)
    return Reading.undefined(reason) if reason else Reading(rank_auc(is_positive, values))


def rank_auc(is_positive: BoolArray, scores: FloatArray) -> float:
    """AUC of checked rows of both classes."""
    n_positive = int(is_positive.sum())
    n_negative = len(scores) - n_positive
    u = float(rankdata(scores)[is_positive].sum()) - n_positive * (n_positive + 1) / 2
    return u / (n_positive * n_negative)


def auc_by_fold(labels: npt.ArrayLike, scores: npt.ArrayLike, folds: npt.ArrayLike) -> FoldAUC:
    """AUC of out-of-fold scores: pooled, per fold, and the mean over the folds.

    Paper 4 does not say which of the two it prints, so both are given.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) each row's score by the model that did not see it.
        folds: (n,) name or number of the fold that holds the row.

    Raises:
        MammoError: On malformed labels or scores, or unequal lengths.
    """
    is_positive, values = labelled_scores('auc_by_fold', labels, scores)
    names = np.asarray(folds)
    option('auc_by_fold', 'folds', f'shape {names.shape}', f'({len(values)},)', good=names.shape == values.shape)
    per_fold = {str(fold): auc(is_positive[names == fold], values[names == fold]) for fold in np.unique(names)}
    undefined = [f'fold {fold}: {one.reason}' for fold, one in per_fold.items() if one.reason]
    if not per_fold:
        mean = Reading.undefined('no fold')
    elif undefined:
        mean = Reading.undefined('; '.join(undefined))
    else:
        mean = Reading(float(np.mean(list(per_fold.values()))))
    return FoldAUC(auc(is_positive, values), mean, per_fold)
