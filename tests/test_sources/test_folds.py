"""Folds by patient: those of scikit-learn, whatever the strata."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from mmmammo.sources.folds import _FastFolds, patient_folds
from mmmammo.structures import MammoError


@pytest.mark.parametrize('num_folds', [2, 5, 10])
@pytest.mark.parametrize('num_strata', [1, 2, 3, 9])
@pytest.mark.parametrize('seed', range(3))
def test_they_are_those_of_scikit_learn(num_folds, num_strata, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(60), rng.integers(1, 6, 60))  # a woman has one to five rows
    strata = rng.integers(num_strata, size=len(groups)) * (rng.random(len(groups)) < 0.4)
    expected = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        parts = list(expected.split(strata, strata, groups))
    folds = patient_folds([str(group) for group in groups], strata.tolist(), num_folds, seed)
    for fold, (_, rows) in enumerate(parts):
        assert {int(patient) for patient, where in folds.items() if where == fold} == set(groups[rows].tolist())


def test_the_place_of_a_patient_is_found_by_our_method():
    assert callable(StratifiedGroupKFold._find_best_fold)  # else scikit-learn looks for it in another, slow way
    assert _FastFolds._find_best_fold is not StratifiedGroupKFold._find_best_fold


def test_fewer_patients_than_folds_are_refused():
    with pytest.raises(MammoError, match='2 patients; expected enough for 3 folds'):
        patient_folds(['a', 'a', 'b'], [0, 1, 0], 3, 0)
