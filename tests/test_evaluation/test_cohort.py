"""Exams of a screening programme: readers, four images, and the cells of Table 1."""

import numpy as np
import pytest

from mmmammo.evaluation import functional as F
from mmmammo.structures import MammoError

EXAMS = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b']
SIDES = ['L', 'L', 'R', 'R'] * 2
VIEWS = ['CC', 'MLO'] * 4


def test_one_reader_is_the_maximum_of_the_breasts_and_two_are_added_per_breast():
    first, second = [1, 1, 4, 4, 1, 1, 1, 1], [3, 3, 2, 2, 1, 1, 2, 2]
    assert F.reader_exam_scores(EXAMS, SIDES, [first]) == {'a': 4, 'b': 1}
    assert F.reader_exam_scores(EXAMS, SIDES, [second]) == {'a': 3, 'b': 2}
    assert F.reader_exam_scores(EXAMS, SIDES, [first, second]) == {'a': 6, 'b': 3}  # max(1 + 3, 4 + 2): not 4 + 3


def test_an_exam_with_a_missing_reading_has_no_score():
    scores = F.reader_exam_scores(EXAMS, SIDES, [[1, 1, np.nan, np.nan, 2, 2, 1, 1]])
    assert np.isnan(scores['a']) and scores['b'] == 2
    assert np.isnan(list(F.reader_exam_scores(EXAMS, SIDES, [[np.nan] * 8]).values())).all()


def test_two_scores_of_one_breast_are_refused():
    with pytest.raises(MammoError, match=r'breast a_L.*1 and 2'):
        F.reader_exam_scores(EXAMS, SIDES, [[1, 2, 1, 1, 1, 1, 1, 1]])


def test_only_exams_of_four_images():
    assert F.four_image_exams(EXAMS, SIDES, VIEWS).all()
    assert F.four_image_exams(EXAMS[1:], SIDES[1:], VIEWS[1:]).tolist() == [False] * 3 + [True] * 4
    five = F.four_image_exams([*EXAMS, 'b'], [*SIDES, 'L'], [*VIEWS, 'CC'])
    assert five.tolist() == [True] * 4 + [False] * 5
    assert not F.four_image_exams(['a'] * 4, ['L', 'L', 'R', 'R'], ['CC', 'CC', 'CC', 'MLO']).any()


def test_an_unknown_outcome_is_named_with_its_row():
    with pytest.raises(MammoError, match=r'outcomes\[1\].*cancer.*screening'):
        F.screening_outcomes(['none', 'cancer'])
    assert F.screening_outcomes(['none', 'normal', 'interval']) == ('normal', 'normal', 'interval')


def test_the_two_tasks_by_hand():
    outcomes, scores = ['screening', 'interval', 'none', 'none'], [0.9, 0.2, 0.5, 0.1]
    cells = F.cohort_aucs(outcomes, scores, list('abcd'), bootstrap=0)
    assert cells['screening'].delong.auc == 1  # above all three
    assert cells['screening_interval'].delong.auc == 3 / 4  # of four pairs one, .2 against .5, is wrong
    assert (cells['screening'].n_cases, cells['screening'].n_controls) == (1, 3)
    assert (cells['screening_interval'].n_cases, cells['screening_interval'].n_controls) == (2, 2)


def test_controls_are_drawn_and_counted():
    rng = np.random.default_rng(0)
    outcomes = np.array(['screening'] * 20 + ['interval'] * 10 + ['none'] * 400)
    scores = rng.normal(size=430) + (outcomes == 'screening')
    cells = F.cohort_aucs(outcomes, scores, range(430), n_controls=100, bootstrap=0)
    assert [cells[task].n_controls for task in ('screening', 'screening_interval')] == [100, 100]
    assert [cells[task].n_controls_known for task in ('screening', 'screening_interval')] == [410, 400]
    again = F.cohort_aucs(outcomes, scores, range(430), n_controls=100, bootstrap=0)
    assert cells['screening'].delong.auc == again['screening'].delong.auc
    every = F.cohort_aucs(outcomes, scores, range(430), n_controls=None, bootstrap=0)
    assert every['screening'].delong.auc == F.auc(outcomes == 'screening', scores)
    assert every['screening'].n_controls == 410


def test_folds_are_averaged_and_one_without_cancer_says_so():
    outcomes = ['screening', 'none', 'screening', 'none', 'none', 'none']
    scores, folds = [3, 1, 1, 2, 0, 0], [0, 0, 1, 1, 0, 1]
    cell = F.cohort_aucs(outcomes, scores, range(6), folds, bootstrap=0)['screening']
    assert cell.fold_mean == np.mean([1.0, 0.5])
    lacking = F.cohort_aucs(outcomes, scores, range(6), [0, 0, 0, 0, 0, 1], bootstrap=0)['screening']
    assert lacking.fold_mean.reason == 'fold 1: no positive label'
    assert lacking.delong.auc == cell.delong.auc
    assert F.cohort_aucs(outcomes, scores, range(6), bootstrap=0)['screening'].fold_mean.reason == 'no folds'


def test_no_cancer_at_all_is_nan_with_a_reason():
    cell = F.cohort_aucs(['none'] * 4, [1, 2, 3, 4], range(4), bootstrap=50)['screening']
    assert np.isnan(cell.delong.auc) and 'positive' in cell.delong.auc.reason
    assert cell.low.reason == 'no positive label'


def test_the_bootstrap_draws_women():
    rng = np.random.default_rng(1)
    outcomes = ['screening'] * 10 + ['none'] * 30
    scores = rng.normal(size=40) + np.repeat([1.0, 0.0], [10, 30])
    alone = F.cohort_aucs(outcomes, scores, range(40), bootstrap=300)['screening']
    assert alone.low < alone.delong.auc < alone.high
    pairs = F.cohort_aucs(np.repeat(outcomes, 2), np.repeat(scores, 2), np.repeat(range(40), 2), bootstrap=300)
    assert pairs['screening'].high - pairs['screening'].low == pytest.approx(alone.high - alone.low, abs=0.03)


def test_the_exam_score_does_not_know_left_from_right():
    scores = [0.3, -1.0, 0.8, 0.4]
    assert F.exam_score(scores, ['L', 'L', 'R', 'R']) == F.exam_score(scores, ['R', 'R', 'L', 'L']) == 0.8 + 0.4


def test_averaging_models_before_the_maximum_is_not_averaging_after():
    holistic, attention, sides = np.array([4, 0, 1, 1]), np.array([0, 0, 3, 3]), ['L', 'L', 'R', 'R']
    before = F.exam_score((holistic + attention) / 2, sides)
    after = (F.exam_score(holistic, sides) + F.exam_score(attention, sides)) / 2
    assert before == 4 and after == 5
    assert F.exam_score((holistic + holistic) / 2, sides) == F.exam_score(holistic, sides)


# item 5
def test_auc_is_mann_whitney_and_knows_only_the_order():
    rng = np.random.default_rng(0)
    labels, scores = rng.random(60) < 0.4, rng.integers(0, 12, 60).astype(float)
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels] for n in scores[~labels]]
    assert F.auc(labels, scores) == pytest.approx(np.mean(pairs))
    assert F.auc(labels, np.exp(scores)) == F.auc(labels, scores)
    assert F.auc(~labels, scores) == pytest.approx(1 - F.auc(labels, scores))


def test_windows_by_chance():
    lesion = [[40, 40, 60, 60]]
    assert F.windows_hold([[0, 0], [45, 45], [51, 0]], (50, 50), lesion).tolist() == [True, True, False]
    places = np.stack(np.meshgrid(np.arange(100) + 0.5, np.arange(100) + 0.5), axis=-1).reshape(-1, 2)
    assert F.chance_of_hold(places, (100, 100), (100, 100), lesion) == 1
    # a window of 20 holds (50, 50) from centres 40 to 60 along each axis: a fifth of them, squared
    assert F.chance_of_hold(places, (20, 20), (100, 100), lesion) == pytest.approx(0.04, abs=0.006)
    with pytest.raises(MammoError, match='places'):
        F.chance_of_hold([], (20, 20), (100, 100), lesion)
