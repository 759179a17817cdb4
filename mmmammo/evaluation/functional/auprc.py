"""Precision against recall of classified rows, and its area as average precision.

Detections have their own, :func:`~mmmammo.evaluation.functional.precision_recall.average_precision`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.labelled_scores import labelled_scores
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.threshold_sweep import ThresholdSweep, threshold_sweep


@dataclass(frozen=True, eq=False)
class PRCurve:
    """One point per distinct score, from the highest down.

    Args:
        precision: (t,) share of the called that are positive.
        recall: (t,) never falling; nan without positives.
        thresholds: (t,) rows with ``score >= threshold`` are called positive.
        n_positive: Rows labelled 1.
        n_negative: Rows labelled 0.
        reason: Why the recall is nan, or ``None``.
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray
    n_positive: int
    n_negative: int
    reason: str | None = None


def pr_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> PRCurve:
    """Sweep the threshold; rows of equal score enter together.

    Raises:
        MammoError: On malformed labels or scores.
    """
    sweep = threshold_sweep(*labelled_scores('pr_curve', labels, scores))
    return PRCurve(
        precision=_precision(sweep),
        recall=sweep.sensitivity[1:],
        thresholds=sweep.thresholds[1:],
        n_positive=sweep.n_positive,
        n_negative=sweep.n_negative,
        reason=None if sweep.n_positive else 'no positive label',
    )


def auprc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Reading:
    """Average precision: the precisions, weighted by the recall that each step gains; nothing is interpolated.

    Chance is the prevalence, not 0.5: compare only sets of equal prevalence.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite, on any scale.

    Returns:
        In [0, 1]; nan with its reason without positives.

    Raises:
        MammoError: On malformed labels or scores.
    """
    sweep = threshold_sweep(*labelled_scores('auprc', labels, scores))
    if not sweep.n_positive:
        return Reading.undefined('no positive label')
    return Reading(float(np.diff(sweep.sensitivity) @ _precision(sweep)))


def _precision(sweep: ThresholdSweep) -> FloatArray:
    called = (sweep.true_positives + sweep.false_positives)[1:]
    precision: FloatArray = sweep.true_positives[1:] / called
    return precision
