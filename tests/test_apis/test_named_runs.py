"""Names and paths of runs on a command line."""

import pytest

from mmmammo.apis.named_runs import named_runs
from mmmammo.structures import MammoError


@pytest.fixture
def folder(tmp_path):
    for name in ('train', 'val', 'a,b', 'c=d'):
        (tmp_path / name).mkdir()
    (tmp_path / 'val/scores.csv').touch()
    return tmp_path


def test_runs_and_parts_of_runs(folder):
    train, val = folder / 'train', folder / 'val'
    assert named_runs([str(train), f'Pretrained={train},{val}', f'x={val}/scores.csv, {train}']) == {
        'train': (train,),
        'Pretrained': (train, val),
        'x': (val / 'scores.csv', train),
    }


def test_a_path_that_exists_keeps_its_commas_and_equals_signs(folder):
    assert named_runs([f'{folder}/a,b', f'{folder}/c=d', f'n={folder}/a,b']) == {
        'a,b': (folder / 'a,b',),
        'c=d': (folder / 'c=d',),
        'n': (folder / 'a,b',),
    }


@pytest.mark.parametrize(
    ('word', 'said'),
    [
        ('n={0}/train,{0}/nobody', 'no such file or folder: .*nobody'),
        ('n={0}/train,', 'nothing between or beside commas'),
        ('n=', 'nothing between or beside commas'),
        ('{0}/train,{0}/val', 'name: found none for 2 parts; expected NAME=PATH,PATH'),
    ],
)
def test_what_cannot_be_read_is_named(folder, word, said):
    with pytest.raises(MammoError, match=said):
        named_runs([word.format(folder)])


def test_names_are_used_once(folder):
    with pytest.raises(MammoError, match=r"'n', of .*train too"):
        named_runs([f'n={folder}/train', f'n={folder}/val'])
