"""Which folders are women."""

import pytest

from mmmammo.sources.folder_patients import MOST_EXAMS, patients_of_exams


@pytest.mark.parametrize(
    ('folder', 'is_patient'),
    [
        ('ann', True),
        ('017', True),
        ('patient_3', True),
        ('case0001', True),
        ('cancer_017', True),
        ('Mueller', True),
        ('2019', True),
        ('cancer', False),
        ('Non-Cancer', False),
        ('TRAIN images', False),
        ('birads_4', False),
        ('BI-RADS 4', False),
        ('fold1', False),
        ('fold2-train', False),
        ('3-train', True),
    ],
)
def test_names_of_groups(folder, is_patient):
    exams = [f'{folder}/a', f'{folder}/b', 'other/c']
    assert patients_of_exams(exams)[f'{folder}/a'] == (folder if is_patient else f'{folder}/a')


def test_the_uppermost_folder_is_the_woman_so_that_none_is_torn_apart():
    assert patients_of_exams(['ann/2019/1', 'ann/2021/1', 'eve/2020/1'])['ann/2021/1'] == 'ann'
    assert patients_of_exams(['train/ann/1', 'train/ann/2', 'test/eve/1'])['train/ann/1'] == 'train/ann'


def test_no_woman_has_this_many_exams():
    many = [f'x/{i}' for i in range(MOST_EXAMS + 1)]
    assert patients_of_exams([*many, 'y/1', 'y/2']) == {exam: exam for exam in many} | {'y/1': 'y', 'y/2': 'y'}
    assert set(patients_of_exams([*many[1:], 'y/1']).values()) == {'x', 'y'}


def test_an_exam_in_many_files_counts_once():
    files = ['x/1'] * (MOST_EXAMS + 5) + ['y/1']
    assert patients_of_exams(files) == {'x/1': 'x', 'y/1': 'y'}


def test_without_folders_above_exams_are_patients():
    assert patients_of_exams(['a', 'b']) == {'a': 'a', 'b': 'b'}
    assert patients_of_exams([]) == {}
