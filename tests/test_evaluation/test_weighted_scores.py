"""Many draws of patients at once give what one draw after the other gives, row by row."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    RSNA_THRESHOLDS,
    SCORE_STATISTICS,
    ScoreMeasure,
    auc,
    bootstrap_ci,
    held_out_f1,
    multilabel_report,
    paired_difference,
    patients_in,
    read_measure,
    score_reader,
    weighted_bootstrap_ci,
    weighted_paired_difference,
)
from mmmammo.evaluation.functional.score_measures import HELD_OUT, MULTI_LABEL
from mmmammo.evaluation.functional.weighted_sweeps import mean_auc_reader
from mmmammo.structures import MammoError

CLASSES = ('mass', 'calcification', 'asymmetry', 'normal')
GROUPS = (('Dense', ('mass', 'asymmetry')), ('Bright', ('calcification',)))
SHARED = {'undefined_as': 0.0, 'groups': GROUPS, 'only_with': CLASSES[:3]}
COUNTED = [
    *(ScoreMeasure(MULTI_LABEL, entry=e) for e in ('mass/f1', 'macro/precision', 'micro/recall', 'weighted/accuracy')),
    *(ScoreMeasure(MULTI_LABEL, entry=e) for e in ('subset_accuracy', 'n_rows', 'normal/support', 'mass/predicted')),
    *(ScoreMeasure(MULTI_LABEL, entry=e, threshold=0.6, no_finding='none') for e in ('none/f1', 'weighted/f1')),
    *(ScoreMeasure(MULTI_LABEL, entry=e, **SHARED) for e in ('Dense/f1', 'weighted/f1', 'n_rows')),
    *(ScoreMeasure(name, 1) for name in ('auc', 'f1', 'best_f1', 'best_threshold', 'sensitivity@specificity0.80')),
    *(ScoreMeasure(name, 2) for name in ('sensitivity@specificity0.90', 'specificity@sensitivity0.90')),
    ScoreMeasure(HELD_OUT, 0, fold_attribute='fold'),
    ScoreMeasure(HELD_OUT, 0, level='breast', fold_attribute='fold', beta=2.0),
    ScoreMeasure('best_f1', level='exam', breast_rule='max'),
]
"""Ratios of whole numbers: equal to the last bit."""
SUMMED = [ScoreMeasure(name, i) for i in (0, 3) for name in ('auprc', 'pf1', 'brier', 'ece')]
SUMMED += [ScoreMeasure(f'macro_{name}') for name in ('auc', 'auprc')]
SUMMED += [ScoreMeasure(MULTI_LABEL, entry='samples/f1')]
"""Sums that run in another order."""


def table(seed, classes=CLASSES, num_patients=15):
    """Four images per patient, one exam each; scores of two decimals tie now and then."""
    rng, n = np.random.default_rng(seed), 4 * num_patients
    labels = (np.random.default_rng(9).random((n, 4)) < 0.3).astype(int)[:, : len(classes)]
    return SimpleNamespace(
        ids=[f'{i}' for i in range(n)],
        level='image',
        exam_ids=[f'e{i // 4}' for i in range(n)],
        patient_ids=[f'p{i // 4:02d}' for i in range(n)],
        lateralities=['LLRR'[i % 4] for i in range(n)],
        labels=labels,
        scores=np.round(0.3 * labels + 0.7 * rng.random(labels.shape), 2),
        classes=tuple(classes),
        attributes={'fold': [f'{i // 4 % 3}' for i in range(n)]},
    )


@pytest.mark.parametrize(('measures', 'tolerance'), [(COUNTED, 0), (SUMMED, 1e-12)], ids=['counts', 'sums'])
def test_an_interval_is_that_of_the_slow_loop(measures, tolerance):
    scores = table(1)
    read, patients = score_reader((measures, scores)), patients_in(scores)
    slow, fast = bootstrap_ci(read, patients, 25), weighted_bootstrap_ci(read.of_weights, patients, 25)
    for name in ('estimate', 'low', 'high', 'n_undefined'):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=0, atol=tolerance)
    assert fast.estimate == pytest.approx([read_measure(scores, one) for one in measures])


@pytest.mark.parametrize('same_scale', [False, True])
def test_a_comparison_is_that_of_the_slow_loop(same_scale):
    first, second = table(1), table(2)
    read = score_reader((COUNTED, first), (COUNTED, second), same_scale=same_scale)
    slow = paired_difference(read, patients_in(first), 15)
    fast = weighted_paired_difference(read.of_weights, patients_in(first), 15)
    for name in ('first', 'second', 'p_bootstrap', 'p_permutation'):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    np.testing.assert_array_equal(fast.difference.low, slow.difference.low)


def test_the_table_of_groups_by_a_literal_loop_over_drawn_patients():
    scores, n = table(3), 20
    measure = ScoreMeasure(MULTI_LABEL, entry='weighted/f1', **SHARED)
    found = weighted_bootstrap_ci(score_reader(([measure], scores)).of_weights, patients_in(scores), n, seed=5)
    patients, of_row = patients_in(scores), np.array(scores.patient_ids)
    rng, values = np.random.default_rng(5), []
    for _ in range(n):
        drawn = rng.integers(len(patients), size=len(patients))
        rows = np.concatenate([np.flatnonzero(of_row == patients[i]) for i in drawn])
        labels, called = scores.labels[rows] > 0, scores.scores[rows] >= 0.5
        shown = labels[:, :3].any(axis=1)
        merged = [np.stack([one[shown][:, [0, 2]].any(axis=1), one[shown][:, 1]], axis=1) for one in (labels, called)]
        values.append(multilabel_report(*merged, ('Dense', 'Bright'), 0.0).as_dict()['weighted/f1'])
    assert found.low[0] == np.quantile(values, 0.025) and found.high[0] == np.quantile(values, 0.975)


def test_held_out_thresholds_are_chosen_anew_in_every_draw():
    scores = table(4)
    measure = ScoreMeasure(HELD_OUT, 1, fold_attribute='fold')
    labels, values, folds = scores.labels[:, 1], scores.scores[:, 1], np.array(scores.attributes['fold'])

    def literal(rows):
        return [held_out_f1(labels[rows], values[rows], folds[rows], RSNA_THRESHOLDS, inclusive=False).value]

    found = weighted_bootstrap_ci(score_reader(([measure], scores)).of_weights, patients_in(scores), 30)
    slow = bootstrap_ci(literal, scores.patient_ids, 30)
    assert (found.estimate[0], found.low[0], found.high[0]) == (slow.estimate[0], slow.low[0], slow.high[0])


@pytest.mark.parametrize('measure', [*COUNTED, *SUMMED], ids=lambda m: f'{m.statistic} {m.entry}')
def test_draws_without_a_positive_are_undefined_in_both(measure):
    scores = table(5)
    scores.labels[4:] = 0
    read = score_reader(([measure], scores))
    weights = np.ones((2, 15))
    weights[1, 0] = 0  # the only patient with findings
    slow = [read(np.arange(15)), read(np.arange(1, 15))]
    np.testing.assert_allclose(read.of_weights(weights), slow, rtol=1e-12)


def test_models_of_more_classes_are_compared_in_the_groups_that_both_have():
    ten, eleven = table(1, CLASSES[:3]), table(2)
    measure = ScoreMeasure(MULTI_LABEL, entry='Dense/recall', **SHARED)
    read = score_reader(([measure], ten), ([measure], eleven))
    found = weighted_paired_difference(read.of_weights, patients_in(ten), 10)
    assert found.first == read_measure(ten, measure) and found.second == read_measure(eleven, measure)


def test_every_statistic_is_read_at_once():
    scores = table(1)
    read = score_reader(([ScoreMeasure(name, 0) for name in SCORE_STATISTICS], scores))
    assert len(read.of_weights(np.ones((3, 15)))) == 3
    assert np.isfinite(read.of_weights(np.ones((1, 15)))).all()


def test_the_mean_auc_of_any_rows():
    scores = table(1)
    read, rows = mean_auc_reader(scores.labels > 0, scores.scores), np.array([1, 1, 5, 7, 8, 20, 21, 22, 23, 40, 50])
    literal = np.mean([auc(scores.labels[rows, i], scores.scores[rows, i]) for i in range(4)])
    assert read(rows) == pytest.approx([literal], nan_ok=True)
    assert np.isnan(read(np.array([0]))).all()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'groups': (('Cysts', ('cyst',)),), 'entry': 'Cysts/f1'}, 'groups: found cyst'),
        ({'only_with': ('cyst',), 'entry': 'mass/f1'}, 'only_with: found cyst'),
        ({'groups': GROUPS, 'threshold': (0.1, 0.2, 0.3, 0.4), 'entry': 'Dense/f1'}, 'threshold: found'),
        ({'entry': 'Dense/f1'}, 'entry: found Dense/f1'),
    ],
)
def test_bad_measures_are_refused(options, message):
    with pytest.raises(MammoError, match=message):
        score_reader(([ScoreMeasure(MULTI_LABEL, **options)], table(1))).of_weights(np.ones((1, 15)))


def test_folds_that_the_table_does_not_name_are_refused():
    with pytest.raises(MammoError, match='fold_attribute: found town'):
        read_measure(table(1), ScoreMeasure(HELD_OUT, 0, fold_attribute='town'))
    one = table(1)
    one.attributes['fold'] = ['0'] * 60
    assert read_measure(one, ScoreMeasure(HELD_OUT, 0, fold_attribute='fold')).reason == 'fewer than two folds'
