"""F1 at thresholds of the other folds."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mmmammo.evaluation.functional import RSNA_THRESHOLDS, best_binarised_f1, held_out_f1
from mmmammo.structures import MammoError


@pytest.fixture
def rows():
    generator = np.random.default_rng(1)
    labels = generator.random(600) < 0.2
    probs = np.clip(0.3 * labels + 0.6 * generator.random(600), 0, 1)
    return labels, probs, generator.integers(4, size=600)


def literal(labels, probs, folds, thresholds):
    """Try every threshold on the other folds, keep the highest of the best; call this fold's rows at it."""
    called, chosen, values = np.zeros(len(labels), bool), [], []
    for fold in sorted(set(folds)):
        other, own = folds != fold, folds == fold
        scores = [f1_score(labels[other], probs[other] > t, zero_division=0) for t in thresholds]
        best = max(t for t, s in zip(thresholds, scores, strict=True) if s == max(scores))
        called[own] = probs[own] > best
        chosen.append(best)
        values.append(f1_score(labels[own], called[own], zero_division=0))
    return f1_score(labels, called), chosen, values


def test_is_what_a_plain_loop_gives(rows):
    value, thresholds, values = literal(*rows, RSNA_THRESHOLDS)
    found = held_out_f1(*rows, RSNA_THRESHOLDS, inclusive=False)
    assert found.value == pytest.approx(value)
    assert [float(row.threshold) for row in found.folds] == pytest.approx(thresholds)
    assert [float(row.value) for row in found.folds] == pytest.approx(values)


def test_is_not_better_than_the_threshold_chosen_on_the_rows_themselves(rows):
    labels, probs, folds = rows
    assert held_out_f1(*rows).value <= best_binarised_f1(labels, probs).value


def test_a_fold_of_its_own_scale_is_called_at_the_threshold_of_the_others():
    labels = [0, 1, 0, 1, 0, 1]
    found = held_out_f1(labels, [0.1, 0.6, 0.2, 0.7, 0.01, 0.05], ['a', 'a', 'b', 'b', 'c', 'c'])
    assert [row.fold for row in found.folds] == ['a', 'b', 'c']
    assert [float(row.value) for row in found.folds] == pytest.approx([2 / 3, 2 / 3, 0])
    assert [float(row.threshold) for row in found.folds] == [0.05, 0.05, 0.6]  # c lowers those of a and b
    assert found.value == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))


def test_a_fold_without_positives_is_undefined_and_counts_its_false_calls():
    found = held_out_f1([1, 0, 1, 0, 0, 0], [0.9, 0.1, 0.8, 0.2, 0.95, 0.1], [0, 0, 1, 1, 2, 2])
    assert found.folds[2].value.reason == 'no positive label'
    assert found.value == pytest.approx(2 * 1 / (2 * 1 + 1 + 1))  # 0.9 at 0.8: yes; 0.8 at 0.9: no; 0.95: wrong


def test_positives_of_one_fold_only_leave_no_threshold_for_it():
    found = held_out_f1([1, 0, 0, 0], [0.9, 0.1, 0.8, 0.2], [0, 0, 1, 1])
    assert math.isnan(found.value) and found.value.reason == 'other folds: no positive label'
    assert found.folds[0].value.reason == 'other folds: no positive label'
    assert found.folds[1].threshold == pytest.approx(0.9)


def test_one_fold_is_refused():
    with pytest.raises(MammoError, match='folds: found 1 fold; expected at least two'):
        held_out_f1([0, 1], [0.1, 0.9], [3, 3])


def test_folds_of_another_length_are_refused():
    with pytest.raises(MammoError, match='held_out_f1'):
        held_out_f1([0, 1], [0.1, 0.9], [0, 1, 0])
