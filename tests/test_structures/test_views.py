import pickle

import pytest

from mmmammo.structures import Laterality, MammoError, View, pair_views


@pytest.mark.parametrize(
    ('text', 'side'),
    [('L', 'L'), ('left', 'L'), (' RIGHT ', 'R'), ('B', 'U'), ('', 'U'), (None, 'U'), ('RL', 'U'), ('breast', 'U')],
)
def test_laterality_words(text, side):
    assert Laterality.parse(text) == side


@pytest.mark.parametrize(('text', 'view'), [('mlo', 'MLO'), ('CC', 'CC'), ('ML', 'ML'), ('MLOX', 'UNKNOWN')])
def test_view_words(text, view):
    assert View.parse(text) == view


def test_complete_exam_pairs_both_ways():
    ipsilateral, contralateral = pair_views(['a'] * 4, ['L', 'L', 'R', 'R'], ['CC', 'MLO', 'CC', 'MLO'])
    assert ipsilateral.tolist() == [1, 0, 3, 2]
    assert contralateral.tolist() == [2, 3, 0, 1]


def test_missing_view_has_no_partner_and_exams_do_not_mix():
    ipsilateral, contralateral = pair_views(['a', 'a', 'b'], ['L', 'R', 'L'], ['CC', 'MLO', 'MLO'])
    assert ipsilateral.tolist() == [-1, -1, -1]
    assert contralateral.tolist() == [-1, -1, -1]


def test_of_repeats_the_best_is_the_partner_and_each_is_examined():
    sides, views = ['L', 'L', 'L'], ['CC', 'CC', 'MLO']
    assert pair_views(['a'] * 3, sides, views, [0.2, 0.9, 0.5])[0].tolist() == [2, 2, 1]
    assert pair_views(['a'] * 3, sides, views)[0].tolist() == [2, 2, 0]


def test_other_projections_and_unknown_sides_are_not_paired():
    ipsilateral, contralateral = pair_views(['a'] * 4, ['L', 'L', 'U', 'R'], ['ML', 'CC', 'MLO', 'LM'])
    assert ipsilateral.tolist() == [-1] * 4
    assert contralateral.tolist() == [-1] * 4


def test_pairs_follow_a_permutation_of_the_batch():
    sides, views = ['L', 'L', 'R', 'R'], ['CC', 'MLO', 'CC', 'MLO']
    order = [2, 0, 3, 1]
    base, _ = pair_views(['a'] * 4, sides, views)
    permuted, _ = pair_views(['a'] * 4, [sides[i] for i in order], [views[i] for i in order])
    assert [order[p] for p in permuted] == [base[i] for i in order]


def test_error_says_all_five_things_and_survives_a_worker():
    error = MammoError('a.dcm', field='Modality (0008,0060)', found='CT', expected='MG', remedy='remove it')
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    for part in ('a.dcm', 'Modality (0008,0060)', 'CT', 'MG', 'remove it'):
        assert part in str(again)
