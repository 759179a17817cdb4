"""Pickles are read as data."""

import collections
import io
import os
import pathlib
import pickle
import pickletools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from mmmammo.io.array_pickle import read_array_pickle
from mmmammo.io.stored_arrays import StoredBuffer, StoredType, made
from mmmammo.structures import MammoError
from mmmammo.testing.array_attacks import ATTACKS


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


ARRAYS = {
    'rows': np.arange(6.0).reshape(2, 3),
    'columns': np.asfortranarray(np.arange(6).reshape(2, 3)),
    'neither': np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1),
    'other byte order': np.arange(3, dtype='>i4'),
    'truth': np.array([True, False]),
    'texts': np.array(['é', 'abc']),
    'bytes': np.array([b'ab', b'c']),
    'complex': np.array([1 + 2j]),
    'half': np.ones(2, np.float16),
    'empty': np.zeros((0, 3)),
    'no axis': np.array(3.5),
}
SCALARS = (np.float64(1.5), np.int32(3), np.bool_(True), np.str_('xé'), np.bytes_(b'q'))


def old_names(stored):
    """As numpy 1 names its modules; a frame says how long it is, and goes."""
    stored = stored[:2] + stored[11:] if stored[2:3] == b'\x95' else stored
    for module in (b'multiarray', b'numeric'):
        new, old = b'numpy._core.' + module, b'numpy.core.' + module
        stored = stored.replace(b'\x8c%c%s' % (len(new), new), b'\x8c%c%s' % (len(old), old)).replace(new, old)
    return stored


@pytest.mark.parametrize('names', [lambda stored: stored, old_names], ids=['numpy 2', 'numpy 1'])
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_kind_of_numbers_and_texts_comes_back(tmp_path, protocol, names):
    content = {'arrays': ARRAYS, 'scalars': SCALARS, 'within': (np.ones(2), [np.zeros(1)]), 'type': np.dtype('f4')}
    (tmp_path / 'a.pkl').write_bytes(names(pickle.dumps(content, protocol)))
    found = read_array_pickle(tmp_path / 'a.pkl')
    for name, array in ARRAYS.items():
        same = found['arrays'][name]
        assert type(same) is np.ndarray and same.dtype == array.dtype and same.flags.writeable
        np.testing.assert_array_equal(same, array, err_msg=name)
    assert found['scalars'] == SCALARS and [type(x) for x in found['scalars']] == [type(x) for x in SCALARS]
    assert found['within'][0].tolist() == [1, 1] and found['within'][1][0].tolist() == [0]
    assert found['type'] == np.dtype('f4') and isinstance(found['type'], np.dtype)


@pytest.mark.parametrize('axes', [(2, 0, 1), (1, 2, 0)])
def test_axes_in_any_order_as_numpy_2_3_has_them(axes):
    base = np.arange(24.0).reshape(2, 3, 4)
    stored = StoredBuffer(base.tobytes(), StoredType('f8'), (2, 3, 4), 'K', axes)
    np.testing.assert_array_equal(made(stored), base.transpose(axes))


@pytest.mark.parametrize('guarded', [True, False])
def test_bytes_never_become_pointers(tmp_path, guarded):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(ATTACKS['pointers used'], 2))
    reader = 'from mmmammo.io.array_pickle import read_array_pickle as read'
    if not guarded:  # the attack is one
        reader = 'import pickle, pathlib; read = lambda path: pickle.loads(pathlib.Path(path).read_bytes())'
    command = [sys.executable, '-c', f'import sys; {reader}; print(read(sys.argv[1]))', str(tmp_path / 'a.pkl')]
    done = subprocess.run(command, capture_output=True, text=True)  # a crash ends another process than this one
    if guarded:
        assert done.returncode == 1 and "a dtype 'O8'" in done.stderr
    else:
        assert done.returncode < 0


@pytest.mark.parametrize('protocol', [2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize('attack', ATTACKS)
def test_what_could_reach_other_memory_is_refused(tmp_path, attack, protocol):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps({'w': ATTACKS[attack]}, protocol))
    with pytest.raises(MammoError, match=r'a\.pkl: pickle: found what cannot be read as one \(.+expected.+Remedy'):
        read_array_pickle(tmp_path / 'a.pkl')


@pytest.mark.parametrize(
    'stored',
    [
        b'cnumpy\ndtype\n(N}X\x05\x00\x00\x00valueI1\nstb.',
        b'cnumpy\ndtype\n}X\x05\x00\x00\x00valueI1\nsb.',
        b'ccollections\nOrderedDict\n)R}X\x13\x00\x00\x00__array_interface__I1\nsb.',
    ],
)
def test_a_pickle_sets_no_attributes(tmp_path, stored):
    (tmp_path / 'a.pkl').write_bytes(stored)
    with pytest.raises(MammoError, match='cannot be read as one'):
        read_array_pickle(tmp_path / 'a.pkl')
    assert not hasattr(StoredType, 'value')


def test_containers_without_an_end_are_refused(tmp_path):
    endless = {'a': []}
    endless['a'].append(endless)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(endless))
    (tmp_path / 'b.pkl').write_bytes(b'\x80\x02' + b']' * 100_000 + b'a' * 99_999 + b'.')
    with pytest.raises(MammoError, match='a container within itself'):
        read_array_pickle(tmp_path / 'a.pkl')
    with pytest.raises(MammoError, match='recursion'):
        read_array_pickle(tmp_path / 'b.pkl')


@pytest.mark.parametrize('content', [b'', b'not a pickle', pickle.dumps({'a': 1})[:-3]])
def test_broken_files_are_told(tmp_path, content):
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.pkl: pickle: found what cannot be read'):
        read_array_pickle(tmp_path / 'a.pkl')


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match='no such file'):
        read_array_pickle(tmp_path / 'a.pkl')


def test_arrays_of_python_2_in_lines_of_text_come_back(tmp_path):
    """Protocol 0 of Python 2 writes bytes as a text with escapes, which need not be ASCII."""
    data = repr(np.array([1.5, -2.0]).tobytes())[1:].encode()
    kind = b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    begun = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    (tmp_path / 'a.pkl').write_bytes(begun + b'(I1\n(I2\nt' + kind + b'I00\nS' + data + b'\ntb.')
    assert b'\\xf8' in data and read_array_pickle(tmp_path / 'a.pkl').tolist() == [1.5, -2.0]


BOMBS = {
    'remembered as number 4 billion': b'\x80\x02]r\xff\xff\xff\xff.',
    'the same in text': b']p4294967295\n.',
    'one after the other': b'\x80\x02]q\x01]r\x00\x00\x00\x40e.',
    'bytes that do not follow': b'\x80\x04\x8e' + (2**40).to_bytes(8, 'little') + b'abc.',
    'a byte array that does not follow': b'\x80\x05\x96' + (2**40).to_bytes(8, 'little') + b'abc.',
    'text that does not follow': b'\x80\x04\x8d' + (2**40).to_bytes(8, 'little') + b'abc.',
    'a number that does not follow': b'\x80\x02\x8b\xff\xff\xff\x7fabc.',
    'a frame that does not follow': b'\x80\x04\x95' + (2**40).to_bytes(8, 'little') + b'].',
    'no end': b'\x80\x02]',
    'no opcode': b'\x80\x02\xff.',
    'sets without end': b'\x80\x04' + b'\x8f' * 2**22 + b'.',
}


@pytest.mark.parametrize('bomb', BOMBS.values(), ids=BOMBS)
def test_a_pickle_takes_no_more_memory_than_its_content(tmp_path, bomb):
    (tmp_path / 'a.pkl').write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(MammoError, match=r'a\.pkl: pickle: found what cannot be read as one'):
        read_array_pickle(tmp_path / 'a.pkl')
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_asking_for_what_nobody_remembered_is_refused(tmp_path):
    (tmp_path / 'a.pkl').write_bytes(b'\x80\x02j\xff\xff\xff\xff.')
    with pytest.raises(MammoError, match='cannot be read as one'):
        read_array_pickle(tmp_path / 'a.pkl')


def test_a_pickle_that_another_program_has_shortened_comes_back(tmp_path):
    content = {'a': [np.ones(3)] * 2, 'b': ('x', 2**70)}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / 'a.pkl').write_bytes(pickletools.optimize(pickle.dumps(content, protocol)))
        found = read_array_pickle(tmp_path / 'a.pkl')
        assert found['a'][1].tolist() == [1, 1, 1] and found['b'] == ('x', 2**70)
