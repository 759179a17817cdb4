"""Files of arrays that promise more than they hold."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from mmmammo.io import read_heatmap, write_heatmap
from mmmammo.io.array_tables import read_arrays, write_arrays
from mmmammo.structures import Heatmap, MammoError

PLAIN = {
    'numbers': np.arange(12.0).reshape(3, 4),
    'columns': np.asfortranarray(np.ones((3, 2))),
    'texts': np.array(['a', 'é', '']),
    'no text': np.array([], dtype=np.str_),
    'one': np.float64(3.5),
    'none of four': np.zeros((0, 4)),
    'four of none': np.zeros((4, 0)),
    'truth': np.array([True, False]),
}


def header(shape, kind):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {'descr': kind, 'fortran_order': False, 'shape': shape})
    return file.getvalue()


def save(path, name, content, compression=zipfile.ZIP_DEFLATED):
    """An archive of sound arrays in which one is replaced."""
    sound = io.BytesIO()
    np.save(sound, np.ones(2))
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for other in ('values', 'classes', 'affine', 'cell', 'origin', 'shape'):
            archive.writestr(f'{other}.npy', content if other == name else sound.getvalue())
    return path


def listed(stored):
    return {name: stored[name].tolist() for name in stored}


def read_all(path):
    return read_arrays(path, listed, 'this test')


BOMBS = {
    'a terabyte': header((2**40,), '<f8') + bytes(99),
    'many axes': header((2**20, 2**20), '|u1') + bytes(99),
    'texts without letters': header((2**40,), '<U0'),
    'rows without columns': header((2**40, 0), '<f8'),
    'one byte more': header((100,), '|u1') + bytes(99),
    'one byte less': header((98,), '|u1') + bytes(99),
    'an item of a terabyte': header((), [('x', '<f8', (2**37,))]) + bytes(99),
    'negative': header((-1, -99), '|u1') + bytes(99),
    'larger than any number': header((2**80,), '<f8'),
    'objects': header((1,), '|O') + bytes(8),
    'no array': b'nothing of the kind',
    'nothing': b'',
    'another version': b'\x93NUMPY\x02\0' + b'\xff\xff\xff\x7f' + bytes(99),
}


@pytest.mark.parametrize('read', [read_all, read_heatmap], ids=['arrays', 'heatmap'])
@pytest.mark.parametrize('content', BOMBS.values(), ids=BOMBS)
def test_an_array_that_is_not_as_large_as_it_says_is_refused(tmp_path, content, read):
    path = save(tmp_path / 'a.npz', 'values', content)
    tracemalloc.start()
    with pytest.raises(MammoError, match=r'a\.npz: .+ found .+ Remedy: '):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.parametrize('compression', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_that_says_more_than_it_could_hold_is_refused(tmp_path, compression):
    """The size that a member is said to have is a number in the archive, too."""
    path = save(tmp_path / 'a.npz', 'values', header((2**27,), '<f8') + bytes(8), compression)
    with zipfile.ZipFile(path) as archive:
        size = next(info.file_size for info in archive.infolist() if info.filename == 'values.npy')
    wrong = size - 8 + 2**30
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, 'little'), wrong.to_bytes(4, 'little')))
    with pytest.raises(MammoError, match=r'values\.npy of 1,073,741,\d+ bytes where at most'):
        read_all(path)


def test_another_compression_is_refused(tmp_path):
    with pytest.raises(MammoError, match=r'values\.npy of \d+ bytes'):
        read_all(save(tmp_path / 'a.npz', 'x', b'', zipfile.ZIP_LZMA))


def test_damaged_content_is_refused(tmp_path):
    write_arrays(tmp_path / 'a.npz', {'x': np.random.default_rng(0).random(500)})
    data = bytearray((tmp_path / 'a.npz').read_bytes())
    data[60:200] = bytes(140)
    (tmp_path / 'a.npz').write_bytes(data)
    with pytest.raises(MammoError, match='expected what this test writes'):
        read_all(tmp_path / 'a.npz')


def test_what_is_written_is_read(tmp_path):
    write_arrays(tmp_path / 'a.npz', PLAIN)
    assert read_all(tmp_path / 'a.npz') == {name: np.asarray(array).tolist() for name, array in PLAIN.items()}
    np.savez(tmp_path / 'b.npz', **PLAIN)
    assert read_all(tmp_path / 'b.npz') == read_all(tmp_path / 'a.npz')


@pytest.mark.parametrize('shape', [(2**20, 2**20), (3,), (1, 2, 3)])
def test_a_heatmap_of_no_image_is_refused(tmp_path, shape):
    write_heatmap(tmp_path / 'a', Heatmap(np.ones((1, 2, 2), np.float32), 4.0, shape), ['mass'])
    with pytest.raises(MammoError, match=r'a\.npz: heatmap: found ValueError'):
        read_heatmap(tmp_path / 'a.npz')
