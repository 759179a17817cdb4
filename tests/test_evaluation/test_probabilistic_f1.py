"""pF1: the grader's loop, its closed forms, its edges, and F1 at a threshold."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, fbeta_score

from mmmammo.evaluation.functional import RSNA_THRESHOLDS, best_binarised_f1, binarised_f1, probabilistic_f1
from mmmammo.structures import MammoError


def literal_pf(labels, probs, beta=1.0):
    """Row by row, as the competition's page has it."""
    found, false, positives = 0.0, 0.0, 0
    for label, p in zip(labels, probs, strict=True):
        p = min(max(p, 0), 1)
        if label:
            positives += 1
            found += p
        else:
            false += p
    precision, recall = found / (found + false), found / positives
    if precision > 0 and recall > 0:
        return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    return 0


def random_rows(seed, n=200):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, n), rng.random(n)


@pytest.mark.parametrize('beta', [0.5, 1, 2])
@pytest.mark.parametrize('seed', range(3))
def test_it_equals_the_loop(seed, beta):
    labels, probs = random_rows(seed)
    assert probabilistic_f1(labels, probs, beta) == pytest.approx(literal_pf(labels, probs, beta), abs=1e-12)


def test_clip_does_as_the_grader():
    labels, probs = random_rows(4)
    outside = 3 * probs - 1
    assert probabilistic_f1(labels, outside, clip=True) == pytest.approx(literal_pf(labels, outside), abs=1e-12)
    with pytest.raises(MammoError, match=r'scores\[\d+\]: found -?[\d.]+; expected a number in \[0, 1\]'):
        probabilistic_f1(labels, outside)


def test_a_constant_gives_its_closed_form():
    labels = [1] + [0] * 9
    for p in (0.05, 0.5, 1.0):
        assert probabilistic_f1(labels, [p] * 10) == pytest.approx(2 * 0.1 * p / (0.1 + p))


def test_precision_does_not_depend_on_the_scale():
    labels, probs = np.array([1, 0, 1, 0, 0]), np.array([0.8, 0.4, 0.2, 0.6, 0.1])
    inverse = [2 / probabilistic_f1(labels, c * probs) - 1 / (c * probs[labels == 1].mean()) for c in (1, 0.5, 0.01)]
    assert inverse == pytest.approx([probs.sum() / probs[labels == 1].sum()] * 3)  # 1 / precision, from 1 / recall


def test_hard_calls_give_ordinary_f1():
    labels, probs = random_rows(5)
    calls = (probs > 0.6).astype(int)
    assert probabilistic_f1(labels, calls) == pytest.approx(f1_score(labels, calls))
    assert probabilistic_f1(labels, labels) == 1.0


def test_edges():
    assert probabilistic_f1([1, 0, 1], [0, 0, 0]) == 0.0
    assert probabilistic_f1([1, 0], [0, 1]) == 0.0
    undefined = probabilistic_f1([0, 0], [0.5, 0.1])
    assert np.isnan(undefined) and undefined.reason == 'no positive label'


@pytest.mark.parametrize('beta', [1, 2])
def test_f1_at_a_threshold_equals_scikit_learn(beta):
    labels, probs = random_rows(6)
    probs = np.round(probs, 1)
    for threshold in (0.0, 0.3, 0.5, 1.0):
        expected = fbeta_score(labels, probs >= threshold, beta=beta)
        assert binarised_f1(labels, probs, threshold, beta) == pytest.approx(expected)
        expected = fbeta_score(labels, probs > threshold, beta=beta, zero_division=0)
        assert binarised_f1(labels, probs, threshold, beta, inclusive=False) == pytest.approx(expected)


def test_the_best_of_paper_2_is_over_its_hundred_thresholds():
    labels, probs = random_rows(7)
    tried = [f1_score(labels, probs > t, zero_division=0) for t in np.linspace(0, 1, 100)]
    best = best_binarised_f1(labels, probs, RSNA_THRESHOLDS, inclusive=False)
    assert best.value == pytest.approx(max(tried))
    assert f1_score(labels, probs > best.threshold) == pytest.approx(max(tried))


def test_the_best_of_all_is_no_worse_and_its_threshold_reaches_it():
    labels, probs = random_rows(8)
    best = best_binarised_f1(labels, probs)
    assert best.value == max(f1_score(labels, probs >= t) for t in probs)
    assert binarised_f1(labels, probs, best.threshold) == best.value


def test_of_equal_thresholds_the_highest_is_taken():
    # 0.9 and 0.5 both give F1 2/3: one of two found with no false call, both found with two.
    best = best_binarised_f1([1, 0, 0, 1], [0.9, 0.7, 0.6, 0.5])
    assert (best.value, best.threshold) == (pytest.approx(2 / 3), 0.9)


def test_without_positives_the_best_is_undefined():
    best = best_binarised_f1([0, 0], [0.1, 0.2])
    assert best.value.reason == best.threshold.reason == 'no positive label'


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: probabilistic_f1([0, 1], [0.1, np.nan]), r'scores\[1\]: found nan'),
        (lambda: probabilistic_f1([0, 1], [0.1, np.nan], clip=True), r'probs\[1\]: found nan'),
        (lambda: probabilistic_f1([0, 2], [0.1, 0.2]), r'labels\[1\]: found 2'),
        (lambda: probabilistic_f1([0, 1], [0.1, 0.2], beta=0), 'beta: found 0'),
        (lambda: binarised_f1([0, 1], [0.1, 0.2], np.nan), r'thresholds\[0\]: found nan'),
        (lambda: best_binarised_f1([0, 1], [0.1, 0.2], []), 'thresholds: found none'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()
