"""Readers and outcomes of phantom exams."""

import numpy as np
import pytest

from mmmammo.phantom.lesions import Lesion
from mmmammo.phantom.placement import PlacedLesion
from mmmammo.phantom.reading import read_exam
from mmmammo.structures import Laterality, View

LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT


def lesion(side, contrast, pathology='malignant', decoy=None):
    thing = Lesion('mass', pathology, np.zeros(3), 7.0, contrast, np.array([[0, 0, 0, 7.0]]))
    return PlacedLesion('lesion-1', side, (View.CC, View.MLO), thing, decoy)


def read(*lesions, seed=0):
    return read_exam(lesions, np.random.default_rng(seed))


def test_a_woman_without_cancer_has_outcome_none():
    for lesions in ((), (lesion(LEFT, 3.0, 'benign'),), (lesion(RIGHT, 3.0, decoy='overlap'),)):
        labels = read(*lesions)
        assert {label['outcome'] for label in labels.values()} == {label['exam_outcome'] for label in labels.values()}
        assert labels[LEFT]['exam_outcome'] == 'none'


def test_a_conspicuous_cancer_is_a_screening_cancer_of_its_breast():
    labels = read(lesion(LEFT, 6.0))
    assert [labels[side]['outcome'] for side in (LEFT, RIGHT)] == ['screening', 'none']
    assert [labels[side]['exam_outcome'] for side in (LEFT, RIGHT)] == ['screening'] * 2
    assert labels[LEFT]['reader1'] == labels[LEFT]['reader2'] == 5
    assert labels[RIGHT]['reader1'] == 1


def test_a_cancer_is_an_interval_one_when_and_only_when_both_readers_score_1_everywhere():
    seen = set()
    for seed in range(60):
        labels = read(lesion(RIGHT, 1.6), seed=seed)
        recalled = any(labels[side][reader] > 1 for side in (LEFT, RIGHT) for reader in ('reader1', 'reader2'))
        assert labels[RIGHT]['outcome'] == ('screening' if recalled else 'interval')
        assert labels[LEFT]['outcome'] == 'none'
        seen.add(recalled)
    assert seen == {True, False}


@pytest.mark.parametrize('contrast', [0.0, 1.0, 2.0, 3.0])
def test_scores_are_whole_numbers_from_1_to_5_and_rise_with_contrast(contrast):
    scores = [read(lesion(LEFT, contrast), seed=s)[LEFT]['reader1'] for s in range(40)]
    assert set(scores) <= {1, 2, 3, 4, 5}
    more = [read(lesion(LEFT, contrast + 1), seed=s)[LEFT]['reader1'] for s in range(40)]
    assert all(a <= b for a, b in zip(scores, more, strict=True)) and sum(more) > sum(scores)


def test_equal_seeds_read_equally():
    assert read(lesion(LEFT, 1.7), seed=3) == read(lesion(LEFT, 1.7), seed=3)
