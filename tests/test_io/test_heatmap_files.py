"""Heatmaps as files."""

import numpy as np
import pytest

from mmmammo.io import read_heatmap, read_png16, write_heatmap, write_heatmap_pictures
from mmmammo.structures import Affine, Heatmap, MammoError


@pytest.fixture
def heatmap():
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 12
    values[:, 2, 1] = np.nan
    return Heatmap(values, 4.0, (10, 7), (1.0, 0.0))


def test_what_is_written_is_read(tmp_path, heatmap):
    prepared_from_source = Affine.scaling(0.5) @ Affine.mirror(100)
    write_heatmap(tmp_path / 'a' / 'L_CC', heatmap, ('mass', 'calcification'), prepared_from_source)
    stored = read_heatmap(tmp_path / 'a' / 'L_CC.npz')
    np.testing.assert_array_equal(stored.heatmap.values, heatmap.values)
    assert (stored.heatmap.cell, stored.heatmap.shape, stored.heatmap.origin) == (4, (10, 7), (1, 0))
    assert stored.classes == ('mass', 'calcification')
    # cell (1, 2) begins at (1 + 4, 8) in prepared pixels, which are half as many and mirrored
    np.testing.assert_allclose(stored.source_from_cell.points([1, 2]), [100 - 2 * 5, 2 * 8])


def test_numpy_alone_reads_it(tmp_path, heatmap):
    write_heatmap(tmp_path / 'x.npz', heatmap, 'ab')
    with np.load(tmp_path / 'x.npz', allow_pickle=False) as arrays:
        assert arrays['affine'].tolist() == [[4, 0, 1], [0, 4, 0], [0, 0, 1]]
        assert arrays['classes'].tolist() == ['a', 'b']


def test_names_with_dots_stay_apart(tmp_path, heatmap):
    for name in ('1.2.840.7', '1.2.840.8.npz'):
        write_heatmap(tmp_path / name, heatmap, 'ab')
    write_heatmap_pictures(tmp_path / '1.2.840.7', heatmap, 'ab')
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['1.2.840.7.npz', '1.2.840.7_a.png', '1.2.840.7_b.png', '1.2.840.8.npz']


def test_pictures_are_the_maps_at_the_size_of_the_image(tmp_path, heatmap):
    paths = write_heatmap_pictures(tmp_path / 'L_CC', heatmap, ('mass', 'skin / nipple'))
    assert [path.name for path in paths] == ['L_CC_mass.png', 'L_CC_skin_nipple.png']
    pixels = read_png16(paths[0])
    assert pixels.shape == (10, 7)
    assert (pixels[:, 0] == 0).all()  # left of the first cell
    np.testing.assert_allclose(pixels[4, 1:5], 2 / 12, atol=1e-4)
    assert pixels[9, 5] == 0  # nothing was looked at
    np.testing.assert_allclose(pixels[9, 4], 4 / 12, atol=1e-4)


def test_another_number_of_names_is_refused(tmp_path, heatmap):
    with pytest.raises(MammoError, match='1 names of 2 maps'):
        write_heatmap(tmp_path / 'x', heatmap, ['mass'])


@pytest.mark.parametrize('content', [b'', b'nothing of the kind'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / 'x.npz'
    path.write_bytes(content)
    with pytest.raises(MammoError, match=r'x\.npz: heatmap'):
        read_heatmap(path)
    with pytest.raises(MammoError, match='absent'):
        read_heatmap(tmp_path / 'absent.npz')


def test_strongest_ignores_what_was_not_looked_at(heatmap):
    np.testing.assert_array_equal(heatmap.strongest, heatmap.values[1])
