"""Paired differences of any statistic."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from mmmammo.evaluation.functional import auc, paired_difference, rank_scores
from mmmammo.structures import MammoError


def mean_of(values):
    return lambda rows: values[rows].mean()


def test_the_permutation_p_value_is_the_exact_one():
    # Four patients: all 16 exchanges can be listed.
    first, second = np.array([3.0, 5.0, 1.0, 4.0]), np.array([1.0, 4.5, 2.0, 2.0])
    d = first - second
    listed = [abs(np.mean(d * signs)) >= abs(d.mean()) for signs in product((1, -1), repeat=4)]
    result = paired_difference(mean_of(np.append(first, second)), range(4), 4000)
    assert result.difference.estimate == pytest.approx(d.mean())
    assert (result.first, result.second) == (first.mean(), second.mean())
    assert result.p_permutation == pytest.approx(np.mean(listed), abs=0.02)


def test_interval_and_p_value_agree_with_the_normal():
    rng = np.random.default_rng(1)
    base = rng.normal(size=300)
    first, second = base + rng.normal(0.06, 0.5, 300), base
    d = first - second
    result = paired_difference(mean_of(np.append(first, second)), np.arange(300), 2000)
    error = d.std() / np.sqrt(300)
    assert result.difference.low == pytest.approx(d.mean() - 1.96 * error, abs=0.2 * error)
    assert result.difference.high == pytest.approx(d.mean() + 1.96 * error, abs=0.2 * error)
    z = abs(d.mean()) / error
    normal = 2 * norm.sf(z)
    assert result.p_permutation == pytest.approx(normal, abs=0.03)
    assert result.p_bootstrap == pytest.approx(normal, abs=0.03)


def test_whole_patients_are_exchanged_and_drawn():
    seen = []
    groups = ['a', 'b', 'a', 'c']
    paired_difference(lambda rows: seen.append(rows) or 0.0, groups, 20)
    for rows in seen:
        model = rows // 4
        for group in 'abc':
            assert len({m for r, m in zip(rows, model, strict=True) if groups[r % 4] == group}) <= 1
    assert {tuple(rows % 4) for rows in seen[-2:]} == {(0, 1, 2, 3)}


def test_ranks_of_auc_do_not_change_it():
    rng = np.random.default_rng(0)
    labels, scores = rng.random(50) < 0.4, rng.integers(0, 9, 50) / 9
    ranks = rank_scores(scores)
    assert auc(labels, ranks) == auc(labels, scores) and 0 < ranks.min() <= ranks.max() < 1
    assert rank_scores([3, 1, 1]).tolist() == pytest.approx([2.5 / 3, 1 / 3, 1 / 3])


def test_a_paired_auc_without_positives_is_undefined_and_keeps_its_shape():
    labels, scores = np.tile([False, False], 2), np.array([0.1, 0.2, 0.3, 0.4])
    result = paired_difference(lambda rows: auc(labels[rows], scores[rows]), ['a', 'b'], 10)
    assert np.isnan([result.difference.estimate, result.p_bootstrap, result.p_permutation]).all()
    assert result.difference.reason == 'undefined in every replicate'


def test_one_patient_has_no_interval():
    result = paired_difference(mean_of(np.arange(4.0)), ['a', 'a'], 10)
    assert np.isnan(result.difference.low) and np.isnan(result.p_bootstrap) and result.p_permutation == 1.0


def test_bad_input_is_named():
    with pytest.raises(MammoError, match='paired_difference: groups'):
        paired_difference(lambda rows: 0.0, [], 10)
