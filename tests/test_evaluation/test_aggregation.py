"""From images to breasts and exams: paper 4's rule, the others, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from mmmammo.evaluation.functional import breast_scores, exam_score, exam_scores
from mmmammo.structures import MammoError

FOUR = ['L', 'L', 'R', 'R']


def literal_exam(scores, sides):
    """Paper 4: the breast is the sum of its images, the exam the maximum of its breasts."""
    breasts = {}
    for score, side in zip(scores, sides, strict=True):
        breasts[side] = breasts.get(side, 0) + score
    return max(breasts.values())


def test_exam_score_is_the_greater_of_the_two_sums():
    assert exam_score([0.1, 0.2, 0.4, 0.5], FOUR) == pytest.approx(0.9)
    assert exam_score([-3, -2, -4, 1], FOUR) == -3  # log-odds may be negative
    assert exam_score([0.3], ['R']) == 0.3


def test_sides_and_order_do_not_matter():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=7)
    sides = np.array(['L', 'R', 'L', 'R', 'R', 'L', 'R'])
    order = rng.permutation(7)
    assert exam_score(scores, sides) == pytest.approx(literal_exam(scores, sides))
    assert exam_score(scores[order], sides[order]) == pytest.approx(exam_score(scores, sides))
    assert exam_score(scores, np.where(sides == 'L', 'R', 'L')) == pytest.approx(exam_score(scores, sides))


def test_models_are_averaged_before_the_exam_rule():
    holistic, attention = np.array([2.0, 0, 0, 0]), np.array([0, 0, 2.0, 0])
    before = exam_score((holistic + attention) / 2, FOUR)
    after = (exam_score(holistic, FOUR) + exam_score(attention, FOUR)) / 2
    assert (before, after) == (1.0, 2.0)
    assert exam_score((holistic + holistic) / 2, FOUR) == exam_score(holistic, FOUR)


def test_two_readers_are_added_per_breast():
    # Reader 1 scores L 3, R 1; reader 2 scores L 1, R 4.
    assert exam_score([3, 1, 1, 4], ['L', 'R', 'L', 'R']) == 5
    assert exam_score([3, 1], ['L', 'R']) == 3


@pytest.mark.parametrize(
    ('rule', 'left', 'right'),
    [('sum', 0.7, 0.5), ('mean', 0.35, 0.5), ('max', 0.5, 0.5), ('noisy_or', 1 - 0.8 * 0.5, 0.5)],
)
def test_breasts_by_every_rule(rule, left, right):
    found = breast_scores([0.2, 0.5, 0.5], ['e', 'e', 'e'], ['L', 'L', 'R'], rule)
    assert found.ids == ('e_L', 'e_R') and found.exam_ids == ('e', 'e')
    np.testing.assert_allclose(found.scores, [left, right])
    assert found.n_images.tolist() == [2, 1] and found.labels is None


def test_noisy_or_of_a_certainty_is_one():
    assert exam_score([1.0, 0.3], ['L', 'L'], 'noisy_or') == 1.0


def test_exams_are_sorted_and_their_labels_are_those_of_any_image():
    found = exam_scores(
        [0.1, 0.9, 0.3, 0.2, 0.4],
        ['b', 'a', 'b', 'b', 'a'],
        ['L', 'L', 'R', 'R', 'LEFT'],
        'mean',
        'max',
        labels=[0, 0, 0, 1, 0],
    )
    assert found.ids == found.exam_ids == ('a', 'b')
    np.testing.assert_allclose(found.scores, [0.65, 0.25])
    assert found.labels.tolist() == [False, True] and found.n_images.tolist() == [2, 3]


def test_many_exams_equal_one_at_a_time():
    rng = np.random.default_rng(1)
    exams, sides = rng.integers(0, 50, 400), rng.choice(['L', 'R'], 400)
    scores = rng.normal(size=400)
    found = exam_scores(scores, exams, sides)
    for exam, score in zip(found.ids, found.scores, strict=True):
        mine = exams == int(exam)
        assert score == pytest.approx(literal_exam(scores[mine], sides[mine]))


def test_columns_of_a_table_may_come_with_any_index():
    table = pd.DataFrame({'score': [1, 2], 'exam': ['a', 'a'], 'side': ['L', '?']}, index=[7, 8])
    with pytest.raises(MammoError, match=r"lateralities\[1\]: found '\?'"):
        exam_scores(table.score, table.exam, table.side)
    assert exam_scores(table.score, table.exam, table.side.replace('?', 'R')).scores.tolist() == [2]


def test_an_image_of_unknown_side_may_be_a_breast_of_its_own():
    rows = [1.0, 2.0, 4.0, 8.0], ['e', 'e', 'e', 'e'], ['L', 'L', 'U', 'U']
    breasts = breast_scores(*rows, labels=[0, 0, 1, 0], unknown_side='own')
    assert (breasts.scores.tolist(), breasts.labels.tolist()) == ([3, 4, 8], [False, True, False])
    assert exam_scores(*rows, unknown_side='own').scores.tolist() == [8]
    with pytest.raises(MammoError, match="unknown_side: found 'left'; expected 'refuse' or 'own'"):
        breast_scores(*rows, unknown_side='left')


def test_no_image_is_undefined():
    assert exam_score([], []).reason == 'no image'
    assert breast_scores([], [], []).ids == ()


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: exam_score([1, 2], ['L', 'U']), r"lateralities\[1\]: found 'U'; expected L or R"),
        (lambda: exam_score([1, 2], ['L', 'bilateral']), r"lateralities\[1\]: found 'bilateral'"),
        (lambda: breast_scores([1, 2], ['a', None], ['L', 'R']), r"exam_ids\[1\]: found 'None'; expected an id"),
        (lambda: breast_scores([1, 2], ['', 'a'], ['L', 'R']), r"exam_ids\[0\]: found ''"),
        (lambda: exam_score([1, np.nan], ['L', 'R']), r'image_scores\[1\]: found nan'),
        (lambda: exam_score([1, 2], ['L']), 'exam_ids: found 1 rows; expected 2'),
        (lambda: exam_score([], ['L']), 'exam_ids: found 1 rows; expected 0'),
        (lambda: exam_score([1], ['L'], 'median'), "rule: found 'median'; expected one of"),
        (lambda: exam_score([1], ['L'], 'sum', 'median'), "exam_scores: rule: found 'median'"),
        (lambda: exam_score([0.5, 1.5], ['L', 'L'], 'noisy_or'), r'scores\[1\]: found 1.5; expected a number in'),
        (
            lambda: breast_scores([1, 2], ['e', 'e'], ['L', 'L'], image_ids=['i', 'i']),
            r"image_ids\[1\]: found 'i', already in row 0",
        ),
        (lambda: breast_scores([1, 2], ['e', 'e'], ['L', 'L'], labels=[0, 3]), r'labels\[1\]: found 3'),
        (lambda: breast_scores([1, 2], ['e', 'e'], ['L', 'L'], labels=[0]), 'labels: found 1 rows'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()
