"""What the other views of an exam are worth, learnt from detections whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from mmmammo.evaluation.functional.auc import rank_auc
from mmmammo.evaluation.functional.bootstrap import Interval, bootstrap_ci
from mmmammo.evaluation.functional.cross_view import COEFFICIENTS, CrossViewWeights, cross_view_features
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.matching import match_images
from mmmammo.evaluation.functional.split_record import SplitRecord
from mmmammo.structures import CrossViewEvidence, ImagePrediction, MammoError

POSITIVES_PER_COEFFICIENT = 10
"""A usual rule for logistic models; with fewer, coefficients depend much on the chance of the sample."""

_VALUES, _MISSING = [1, 3], [2, 4]  # columns of the evidence, and of the marks for it


@dataclass(frozen=True, eq=False)
class CrossViewFit:
    """The coefficients and what they gain, judged on patients they were not fitted on.

    Args:
        weights: Fitted on all rows.
        auc: Own score, rescored, and the gain; each detection rescored by the coefficients of the other folds. The
            interval resamples patients.
        n: Detections used.
        n_positive: Those of them that overlap a lesion.
        n_patients: With such detections.
        folds: Of the cross-validation.
    """

    weights: CrossViewWeights
    auc: Interval
    n: int
    n_positive: int
    n_patients: int
    folds: int

    @property
    def positives_wanted(self) -> int:
        """How many positives would be enough by the usual rule."""
        return POSITIVES_PER_COEFFICIENT * (len(COEFFICIENTS) - 1)


def fit_cross_view(
    images: Sequence[ImagePrediction],
    evidence: Sequence[CrossViewEvidence],
    split: str,
    *,
    min_score: float = 0.01,
    folds: int = 5,
    n: int = 1000,
    seed: int = 0,
    **rules: Any,
) -> CrossViewFit:
    """Logistic regression of "is a lesion" on what each detection and its partner views show.

    Detections on a lesion are positive, repeated ones too; those in ignored regions are left out. Evidence is centred
    first, so that a missing partner counts like evidence of the average kind unless the rows say otherwise.

    Args:
        images: Detections and truth of patients that the detector was not trained on.
        evidence: One per image, of :func:`mmmammo.anatomy.cross_view_evidence`.
        split: Name of the split.
        min_score: Weaker detections are left out. Not too high: weights that never saw weak detections would lift each
            one that lies as deep as a sure one of the other view.
        folds: Of the cross-validation, by patient; fewer if fewer patients have positives.
        n: Bootstrap replicates of the interval.
        seed: Of folds and bootstrap.
        **rules: ``matching``, ``iou_thr`` and ``distance_mm`` of :func:`match_detections`.

    Raises:
        MammoError: If no detection has a partner view, fewer than two patients have positives, nothing is negative, or
            the surer detections turn out to be the worse ones.
    """
    labels, kept = _labels(images, min_score, rules)
    features = np.concatenate([np.empty((0, len(COEFFICIENTS))), *map(cross_view_features, evidence)])[kept]
    labels, patients = labels[kept], _patients(images)[kept]
    n_folds = min(folds, len(np.unique(patients[labels])))
    _check(features, labels, n_folds, min_score)
    held_out = np.empty(len(labels))
    splitter = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    for others, fold in splitter.split(features, labels, patients):
        held_out[fold] = features[fold] @ _coefficients(features[others], labels[others])
    record = SplitRecord.of(split, sorted({image.patient_id for image in images}))
    coefficients = dict(zip(COEFFICIENTS, _coefficients(features, labels).tolist(), strict=True))
    _require_rising(coefficients['own'])
    return CrossViewFit(
        weights=CrossViewWeights(**coefficients, chosen_on=record),
        auc=_gain(labels, features[:, 0], held_out, patients, n, seed),
        n=len(labels),
        n_positive=int(labels.sum()),
        n_patients=len(np.unique(patients)),
        folds=n_folds,
    )


def _labels(images: Sequence[ImagePrediction], min_score: float, rules: dict[str, Any]) -> tuple[BoolArray, BoolArray]:
    """Which detections, image after image, are on a lesion, and which are used."""
    matches = match_images(images, duplicates='false_positive', **rules)
    again = match_images(images, duplicates='ignore', **rules)
    positive, used = np.zeros((2, len(matches.scores)), dtype=bool)
    positive[again.detection] = again.is_true_positive | (again.ignored & ~matches.ignored)
    used[matches.detection] = ~matches.ignored & (matches.scores >= min_score)
    return positive, used


def _patients(images: Sequence[ImagePrediction]) -> np.ndarray[Any, Any]:
    """Of each detection, image after image."""
    counts = np.array([len(image.scores) for image in images], dtype=np.int64)
    return np.repeat(np.array([image.patient_id for image in images], dtype=str), counts)


def _coefficients(features: FloatArray, labels: BoolArray) -> FloatArray:
    """(6,) of the features as they are; fitted on centred evidence, all columns at one scale."""
    columns = features[:, :-1].copy()
    present = columns[:, _MISSING] == 0
    means = (columns[:, _VALUES] * present).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    columns[:, _VALUES] -= means * present
    scale = columns.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(max_iter=1000).fit(columns / scale, labels)
    weights = model.coef_[0] / scale
    shift = weights[_VALUES] * means
    weights[_MISSING] += shift
    return np.append(weights, model.intercept_[0] - shift.sum())


def _gain(
    labels: BoolArray, before: FloatArray, after: FloatArray, patients: np.ndarray[Any, Any], n: int, seed: int
) -> Interval:
    """AUC before, after, and their difference."""

    def read(rows: IntArray) -> FloatArray:
        of_rows = labels[rows]
        if of_rows.all() or not of_rows.any():
            return np.full(3, np.nan)
        first, second = rank_auc(of_rows, before[rows]), rank_auc(of_rows, after[rows])
        return np.array([first, second, second - first])

    return bootstrap_ci(read, patients, n, seed=seed)


def _check(features: FloatArray, labels: BoolArray, n_folds: int, min_score: float) -> None:
    """Refuse rows that nothing can be learnt from."""
    partners = 'exams with both views of a breast or with both breasts, with landmarks'
    for good, name, found, expected, remedy in (
        (
            n_folds >= 2,
            'detections of lesions',
            f'{int(labels.sum())} of at least {min_score:g}, of {n_folds} patient(s)',
            'some, of two patients or more',
            'take a larger split, or lower --min-score; look whether detections and truth are in the same pixels',
        ),
        (not labels.all(), 'false detections', 'none', 'some', 'lower --min-score'),
        (
            bool((features[:, _MISSING] == 0).any()),
            'partner views',
            'none of any detection',
            partners,
            'a set of single images has nothing to compare; see quality.csv for images without landmarks',
        ),
    ):
        if not good:
            raise MammoError('fit_cross_view', field=name, found=found, expected=expected, remedy=remedy)


def _require_rising(own: float) -> None:
    if own <= 0:
        raise MammoError(
            'fit_cross_view',
            field='coefficient of the own score',
            found=f'{own:.3f}',
            expected='more than 0: surer detections are more often lesions, other things being equal',
            remedy='fit on more exams, or lower --min-score; look whether truth and detections are of the same images',
        )
