"""AUC, ROC, partial areas and average precision: by hand, by the literal formula, and against scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn import metrics

from mmmammo.evaluation.functional import (
    Reading,
    auc,
    auc_by_fold,
    auprc,
    partial_auc,
    pr_curve,
    roc_curve,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)
from mmmammo.structures import MammoError


def random_rows(seed, n=300, levels=None):
    """Labels and scores that overlap; ``levels`` rounds the scores, so that many tie."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    scores = rng.normal(labels, 1.2)
    return labels, scores if levels is None else np.round(scores * levels) / levels


def pairs(labels, scores):
    """The definition: right pairs, ties one half, over all pairs."""
    positive, negative = (np.asarray(scores)[np.asarray(labels) == c] for c in (1, 0))
    return np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])


@pytest.mark.parametrize(
    ('labels', 'scores', 'expected'),
    [
        ([0, 1], [0.1, 0.9], 1.0),
        ([1, 0], [0.1, 0.9], 0.0),
        ([1, 0, 1, 0], [3, 3, 3, 3], 0.5),
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ([0, 1, 0, 1], [1, 1, 0, 2], 3.5 / 4),
    ],
    ids=['right', 'wrong', 'constant', 'one pair wrong', 'one tie'],
)
def test_auc_by_hand(labels, scores, expected):
    assert auc(labels, scores) == expected


@pytest.mark.parametrize('levels', [None, 2], ids=['distinct', 'ties'])
@pytest.mark.parametrize('seed', range(3))
def test_areas_equal_the_definition_and_scikit_learn(seed, levels):
    labels, scores = random_rows(seed, levels=levels)
    assert auc(labels, scores) == pytest.approx(pairs(labels, scores), abs=1e-12)
    assert auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert auprc(labels, scores) == pytest.approx(metrics.average_precision_score(labels, scores), abs=1e-12)
    for max_fpr in (0.05, 0.2, 1.0):
        expected = metrics.roc_auc_score(labels, scores, max_fpr=max_fpr)
        assert partial_auc(labels, scores, max_fpr=max_fpr) == pytest.approx(expected, abs=1e-12)


def test_auc_does_not_change_under_a_rising_map_and_turns_with_the_labels():
    labels, scores = random_rows(5, levels=2)
    assert auc(labels, np.exp(scores) + 7) == auc(labels, scores)
    assert auc(1 - labels, scores) == pytest.approx(1 - auc(labels, scores))


def test_curves_equal_scikit_learn():
    labels, scores = random_rows(1, levels=2)
    fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    curve = roc_curve(labels, scores)
    np.testing.assert_allclose(curve.false_positive_rate, fpr)
    np.testing.assert_allclose(curve.sensitivity, tpr)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
    curve = pr_curve(labels, scores)
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
    np.testing.assert_array_equal(curve.thresholds[::-1], thresholds)


def test_raw_partial_area_by_hand():
    # ROC: (0, 0) -> (0, .5) -> (.5, .5) -> (.5, 1) -> (1, 1)
    labels, scores = [1, 0, 1, 0], [4, 3, 2, 1]
    assert partial_auc(labels, scores, max_fpr=0.25, standardised=False) == 0.125
    assert partial_auc(labels, scores, max_fpr=0.75, standardised=False) == 0.25 + 0.25
    # Above a sensitivity of .5 the curve leaves the half right of x = .5: .5 x .5.
    assert partial_auc(labels, scores, min_sensitivity=0.5, standardised=False) == 0.25
    assert partial_auc(labels, scores, min_sensitivity=0.0, standardised=False) == auc(labels, scores)


def test_partial_area_above_a_sensitivity_is_the_integral_over_the_sensitivity():
    labels, scores = random_rows(2)
    curve = roc_curve(labels, scores)
    fine = np.linspace(0.8, 1, 200_001)
    right_of_curve = 1 - np.interp(
        fine, curve.sensitivity + np.arange(len(curve.thresholds)) * 1e-12, curve.false_positive_rate
    )
    found = partial_auc(labels, scores, min_sensitivity=0.8, standardised=False)
    assert found == pytest.approx(np.trapezoid(right_of_curve, fine), abs=1e-5)


@pytest.mark.parametrize('limit', [{'max_fpr': 0.1}, {'min_sensitivity': 0.9}])
def test_standardised_partial_area_is_half_for_chance_and_one_for_perfect(limit):
    labels = [0, 1] * 10
    assert partial_auc(labels, [1] * 20, **limit) == pytest.approx(0.5)
    assert partial_auc(labels, labels, **limit) == pytest.approx(1.0)


def test_points_on_the_curve_by_hand():
    labels = [1, 1, 0, 1, 0, 0, 0, 0]
    scores = [9, 8, 7, 6, 5, 5, 5, 1]
    point = sensitivity_at_specificity(labels, scores, 0.8)
    assert (point.sensitivity, point.specificity, point.threshold) == (1.0, 0.8, 6)
    point = sensitivity_at_specificity(labels, scores, 0.9)
    assert (point.sensitivity, point.specificity, point.threshold) == (pytest.approx(2 / 3), 1.0, 8)
    point = sensitivity_at_specificity(
        labels, scores, 0.1
    )  # lower thresholds call more negatives and no more positives
    assert (point.sensitivity, point.specificity, point.threshold) == (1.0, 0.8, 6)
    point = specificity_at_sensitivity(labels, scores, 0.7)
    assert (point.sensitivity, point.specificity, point.threshold) == (1.0, 0.8, 6)


def test_ties_are_taken_whole_or_not_at_all():
    point = sensitivity_at_specificity([1, 0, 1, 0], [3, 3, 3, 3], 0.5)
    assert (point.sensitivity, point.specificity, point.threshold) == (0.0, 1.0, np.inf)


def test_a_specificity_that_is_reached_exactly_counts():
    # 1 - 0.9 is not 0.1 in binary; nine of ten must do all the same.
    labels, scores = [0] * 10 + [1], [*range(10), 8.5]
    assert sensitivity_at_specificity(labels, scores, 0.9).sensitivity == 1.0


@pytest.mark.parametrize(
    ('labels', 'reason'), [([1, 1], 'no negative label'), ([0, 0], 'no positive label'), ([], 'no positive label')]
)
def test_one_class_is_undefined_and_says_so(labels, reason):
    scores = [0.5] * len(labels)
    numbers = [
        auc(labels, scores),
        partial_auc(labels, scores, max_fpr=0.1),
        sensitivity_at_specificity(labels, scores, 0.9).sensitivity,
        specificity_at_sensitivity(labels, scores, 0.9).threshold,
    ]
    assert all(np.isnan(number) and number.reason == reason for number in numbers)
    assert roc_curve(labels, scores).reason == reason


def test_average_precision_needs_only_positives():
    assert auprc([1, 1], [0.3, 0.2]) == 1.0
    assert auprc([0, 0], [0.3, 0.2]).reason == pr_curve([0, 0], [0.3, 0.2]).reason == 'no positive label'


def test_folds_are_pooled_and_averaged():
    labels, scores = [0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9]
    found = auc_by_fold(labels, scores, [0, 0, 1, 1])
    assert (found.pooled, found.mean, found.per_fold) == (0.75, 1.0, {'0': 1.0, '1': 1.0})
    found = auc_by_fold(labels, scores, ['a', 'a', 'a', 'b'])
    assert found.mean.reason == 'fold b: no negative label' and list(found.per_fold) == ['a', 'b']


@pytest.mark.parametrize(
    ('labels', 'scores', 'words'),
    [
        ([0, 1, 2], [0, 0, 0], r'auc: labels\[2\]: found 2; expected 0 or 1'),
        ([0, None, 1], [0, 0, 0], r'labels\[1\]: found None'),
        ([0, 'x', 1], [0, 0, 0], r"labels\[1\]: found 'x'"),
        ([0, np.nan], [0, 0], r'labels\[1\]: found nan'),
        ([0, 1], [0.1, np.nan], r'scores\[1\]: found nan; expected a finite number'),
        ([0, 1], [0.1, np.inf], r'scores\[1\]: found inf'),
        ([0, 1], [0.1], 'scores: found 1 rows; expected 2, as many as labels'),
        ([[0, 1]], [0.1], r'labels: found shape \(1, 2\)'),
        ([[0], [1, 2]], [0.1], 'labels: found rows of unequal length'),
    ],
)
def test_bad_rows_are_named(labels, scores, words):
    with pytest.raises(MammoError, match=words):
        auc(labels, scores)


@pytest.mark.parametrize(
    'limits', [{}, {'max_fpr': 0.1, 'min_sensitivity': 0.9}, {'max_fpr': 0}, {'min_sensitivity': 1}, {'max_fpr': 5}]
)
def test_limits_that_cannot_be_are_refused(limits):
    with pytest.raises(MammoError, match='partial_auc: limit'):
        partial_auc([0, 1], [0, 1], **limits)


def test_folds_of_another_length_are_refused():
    with pytest.raises(MammoError, match=r'folds: found shape \(1,\); expected \(2,\)'):
        auc_by_fold([0, 1], [0, 1], [0])


def test_a_reading_is_a_float_that_keeps_its_reason():
    reading = pickle.loads(pickle.dumps(Reading.undefined('no rows')))
    assert np.isnan(reading) and reading.reason == 'no rows' and repr(reading) == 'nan (no rows)'
    assert Reading(0.5) + 1 == 1.5 and repr(Reading(0.5)) == '0.5' and f'{Reading(0.5):.2f}' == '0.50'
    for value, reason in ((np.nan, None), (0.5, 'why')):
        with pytest.raises(ValueError, match='when, and only when'):
            Reading(value, reason)
