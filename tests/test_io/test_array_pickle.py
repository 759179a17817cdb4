"""Pickles are read as data."""

import collections
import io
import os
import pathlib
import pickle

import numpy as np
import pytest

from mmmammo.io.array_pickle import read_array_pickle


class Maker:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back(tmp_path, protocol):
    content = collections.OrderedDict(
        a={'kernel': np.arange(24, dtype=np.float32).reshape(2, 3, 4)}, b=[np.float64(0.5), 'text', 3]
    )
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content, protocol))
    found = read_array_pickle(tmp_path / 'a.pkl')
    np.testing.assert_array_equal(found['a']['kernel'], content['a']['kernel'])
    assert found['b'] == [0.5, 'text', 3]


def test_arrays_of_numpy_1_come_back(tmp_path):
    stored = pickle.dumps({'a': np.ones(3)}, 2).replace(b'numpy._core.multiarray', b'numpy.core.multiarray')
    assert b'numpy.core.multiarray' in stored
    (tmp_path / 'a.pkl').write_bytes(stored)
    assert read_array_pickle(tmp_path / 'a.pkl')['a'].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    'wrap', [lambda x: x, lambda x: {'w': np.array([x], dtype=object)}], ids=['bare', 'in an array']
)
def test_code_is_refused_and_not_run(tmp_path, wrap):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(wrap(Maker(tmp_path / 'made')), 2))
    with pytest.raises(ValueError, match='cannot be read as one'):
        read_array_pickle(tmp_path / 'a.pkl')
    assert not (tmp_path / 'made').exists()
    pickle.loads((tmp_path / 'a.pkl').read_bytes())
    assert (tmp_path / 'made').exists()  # it would have


@pytest.mark.parametrize('content', [io.BytesIO, os.getcwd, pathlib.Path('a')])
def test_any_other_type_is_refused(tmp_path, content):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content, 2))
    with pytest.raises(ValueError, match='cannot be read as one'):
        read_array_pickle(tmp_path / 'a.pkl')


def test_no_other_codec_is_looked_up(tmp_path):
    (tmp_path / 'a.pkl').write_bytes(b'c_codecs\nencode\n(Vx\nVzlib\ntR.')
    with pytest.raises(ValueError, match='encode to zlib'):
        read_array_pickle(tmp_path / 'a.pkl')


@pytest.mark.parametrize('side', [2**50, 2**80])
def test_an_array_larger_than_any_machine_is_told(tmp_path, side):
    (tmp_path / 'a.pkl').write_bytes(b'cnumpy\nndarray\n((I%d\nttR.' % side)
    with pytest.raises(ValueError, match=r'a\.pkl: pickle: found what cannot be read'):
        read_array_pickle(tmp_path / 'a.pkl')


@pytest.mark.parametrize('content', [b'', b'not a pickle', pickle.dumps({'a': 1})[:-3]])
def test_broken_files_are_told(tmp_path, content):
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.pkl: pickle: found what cannot be read'):
        read_array_pickle(tmp_path / 'a.pkl')


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match='no such file'):
        read_array_pickle(tmp_path / 'a.pkl')
