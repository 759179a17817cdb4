"""Patients to splits: by patient, by fraction, by stratum, and always the same."""

from collections import Counter

import pytest

from mmmammo.prepare import assign_splits
from mmmammo.prepare.splits import complete_splits, split_by_patient
from mmmammo.structures import ImageRecord, MammoError

PATIENTS = [f'p{number:03d}' for number in range(100)]


def test_fractions_are_met_and_everyone_is_somewhere():
    splits = assign_splits(PATIENTS, (0.7, 0.1, 0.2))
    assert Counter(splits.values()) == {'train': 70, 'val': 10, 'test': 20}
    assert sorted(splits) == PATIENTS


def test_order_and_repeats_make_no_difference_but_the_seed_does():
    assert assign_splits(PATIENTS[::-1] + PATIENTS, seed=3) == assign_splits(PATIENTS, seed=3)
    assert assign_splits(PATIENTS, seed=4) != assign_splits(PATIENTS, seed=3)


def test_every_stratum_is_divided_alike():
    stratum = {patient: number % 4 == 0 for number, patient in enumerate(PATIENTS)}
    splits = assign_splits(PATIENTS, (0.6, 0.2, 0.2), stratify=stratum)
    assert Counter((stratum[p], s) for p, s in splits.items()) == {
        (False, 'train'): 45, (False, 'val'): 15, (False, 'test'): 15,
        (True, 'train'): 15, (True, 'val'): 5, (True, 'test'): 5,
    }  # fmt: skip


def test_fractions_need_not_sum_to_one():
    assert assign_splits(PATIENTS, (7, 1, 2)) == assign_splits(PATIENTS, (0.7, 0.1, 0.2))
    assert set(assign_splits(PATIENTS, (1, 0, 0)).values()) == {'train'}


@pytest.mark.parametrize('fractions', [(0.5, 0.5), (1, -1, 1), (0, 0, 0), (float('nan'), 1, 1)])
def test_wrong_fractions_are_named(fractions):
    with pytest.raises(MammoError, match=r'fractions.*three numbers'):
        assign_splits(PATIENTS, fractions)


def test_splits_of_the_source_are_kept_and_the_rest_is_drawn():
    given = {**dict.fromkeys(PATIENTS, None), 'p000': 'test', 'p001': 'val', 'p002': 'train'}
    splits = complete_splits(given, dict.fromkeys(PATIENTS, True))
    assert (splits['p000'], splits['p001'], splits['p002']) == ('test', 'val', 'train')
    assert sorted(splits) == PATIENTS and 'train' in set(list(splits.values())[3:])


def test_a_source_without_val_gets_one_out_of_its_train():
    given = {patient: 'test' if number < 20 else 'train' for number, patient in enumerate(PATIENTS)}
    splits = complete_splits(given, dict.fromkeys(PATIENTS, False), (0.7, 0.1, 0.2))
    assert Counter(splits.values()) == {'train': 70, 'val': 10, 'test': 20}
    assert all(splits[patient] == 'test' for patient in PATIENTS[:20])


def record(exam, patient, split, tmp_path):
    return ImageRecord(tmp_path, 'x', exam, patient, split=split)


def test_a_patient_takes_the_split_that_any_image_names(tmp_path):
    records = [record('e', 'p', None, tmp_path), record('f', 'p', 'val', tmp_path), record('g', 'q', None, tmp_path)]
    assert split_by_patient(records) == {'p': 'val', 'q': None}


def test_a_patient_in_two_splits_is_refused(tmp_path):
    records = [record('e', 'p', 'train', tmp_path), record('f', 'p', 'test', tmp_path)]
    with pytest.raises(MammoError, match='patient p: split: found images in train and in test'):
        split_by_patient(records)
