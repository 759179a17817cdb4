"""Paper 4's sampled controls."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import auc, sample_controls, screening_tasks
from mmmammo.structures import MammoError


def test_all_cases_and_as_many_controls_as_asked_for():
    is_case = np.zeros(1000, int)
    is_case[::100] = 1
    found = sample_controls(is_case, 50)
    assert found.labels.sum() == 10 and len(found.rows) == 60
    assert (np.diff(found.rows) > 0).all() and np.array_equal(found.labels, is_case[found.rows] == 1)


def test_the_seed_decides():
    is_case = np.arange(1000) < 10
    first, again, other = (sample_controls(is_case, 50, seed).rows.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_fewer_controls_than_asked_for_are_all_taken():
    assert sample_controls([1, 0, 0], 5000).rows.tolist() == [0, 1, 2]
    assert sample_controls([1, 1], 5000).rows.tolist() == [0, 1]


def test_kinds_of_controls_keep_their_shares():
    kinds = np.repeat(['case', 'interval', 'normal'], [20, 100, 900])
    found = sample_controls(kinds == 'case', 50, strata=kinds)
    names, counts = np.unique(kinds[found.rows], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {'case': 20, 'interval': 5, 'normal': 45}


def test_the_two_columns_of_paper_4():
    # The published counts, a tenth of the normal exams.
    outcomes = np.repeat(['screening', 'interval', 'normal'], [783, 249, 15_212]).tolist()
    tasks = screening_tasks(outcomes)
    kinds = np.array(outcomes)
    first, second = tasks['screening'], tasks['screening_interval']
    assert first.labels.sum() == 783 and len(first.rows) == 5783
    assert (kinds[first.rows] == 'interval').sum() == round(5000 * 249 / 15_461)
    assert second.labels.sum() == 783 + 249 and len(second.rows) == 1032 + 5000
    assert set(kinds[second.rows][~second.labels]) == {'normal'}


def test_the_sample_estimates_the_auc_of_all():
    rng = np.random.default_rng(0)
    labels = np.arange(20_000) < 400
    scores = rng.normal(1.5 * labels)
    sampled = [sample_controls(labels, 2000, seed) for seed in range(20)]
    found = np.mean([auc(one.labels, scores[one.rows]) for one in sampled])
    assert found == pytest.approx(auc(labels, scores), abs=0.002)


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: screening_tasks(['normal', 'cancer']), r"outcomes\[1\]: found 'cancer'"),
        (lambda: sample_controls([0, 2]), r'is_case\[1\]: found 2'),
        (lambda: sample_controls([0, 1], -1), 'n_controls: found -1'),
        (lambda: sample_controls([0, 1], 2.5), 'n_controls: found 2.5; expected a whole number'),
        (lambda: sample_controls([0, 1], 1, strata=['a']), 'strata: found 1 rows'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()
