"""Decoded views are kept, hold the same pixels as their files, and are made anew when something changes."""

import os
from pathlib import Path

import numpy as np
import pytest
from patch_sets import breast

from mmmammo.datasets.view_store import ViewStore
from mmmammo.io import read_png16, write_png8, write_png16
from mmmammo.preprocessing.fusion import Fusion
from mmmammo.structures import MammoError

BOXES = [(0, 0, 120, 160), (30, 50, 70, 110), (-10, -5, 20, 30), (100, 140, 140, 180), (200, 200, 210, 220)]


@pytest.fixture()
def png(tmp_path):
    path = tmp_path / 'view.png'
    write_png16(path, breast())
    return str(path)


@pytest.mark.parametrize('kept', [True, False], ids=['kept', 'in memory'])
@pytest.mark.parametrize('crop', [None, 'otsu'])
@pytest.mark.parametrize('write', [write_png16, write_png8], ids=['16 bits', '8 bits'])
def test_a_part_is_that_of_the_fused_file(tmp_path, kept, crop, write):
    path = tmp_path / 'view.png'
    write(path, breast())
    fusion = Fusion(crop=crop)
    folder = str(tmp_path / 'decoded') if kept else None
    image = read_png16(path)
    fused = fusion.of(image)
    left, top, right, bottom = fused.frame
    expected = np.zeros((400, 400, 3), dtype=np.float32)  # 100 black pixels around
    expected[100 + top : 100 + bottom, 100 + left : 100 + right] = fused.apply(image)[top:bottom, left:right]
    for store in (ViewStore(fusion), ViewStore(fusion)):  # the second finds what the first has kept
        view = store.view(str(path), folder)
        for x1, y1, x2, y2 in BOXES:
            np.testing.assert_array_equal(
                view.read((x1, y1, x2, y2)), expected[y1 + 100 : y2 + 100, x1 + 100 : x2 + 100]
            )


def test_the_second_time_nothing_is_decoded(png, tmp_path, monkeypatch):
    folder = str(tmp_path / 'decoded')
    ViewStore(Fusion()).view(png, folder)
    monkeypatch.setattr('mmmammo.datasets.view_store.read_png16', lambda _: pytest.fail('decoded again'))
    view = ViewStore(Fusion()).view(png, folder)
    assert isinstance(view.pixels, np.memmap)


def test_other_settings_and_another_file_are_other_views(png, tmp_path):
    folder = tmp_path / 'decoded'
    ViewStore(Fusion()).view(png, str(folder))
    ViewStore(Fusion(clip_limits=(1, 2))).view(png, str(folder))
    assert len(list(folder.glob('*.npz'))) == 2
    write_png16(png, 1 - breast())
    os.utime(png, ns=(1, 1))
    view = ViewStore(Fusion()).view(png, str(folder))
    np.testing.assert_allclose(view.pixels / 65535, 1 - breast(), atol=1e-5)


def test_a_set_that_is_moved_takes_its_decoded_views_along(tmp_path, monkeypatch):
    first, second = tmp_path / 'here', tmp_path / 'there'
    first.mkdir()
    write_png16(first / 'view.png', breast())
    ViewStore(Fusion()).view(str(first / 'view.png'), str(first / 'decoded'))
    first.rename(second)
    monkeypatch.setattr('mmmammo.datasets.view_store.read_png16', lambda _: pytest.fail('decoded again'))
    assert ViewStore(Fusion()).view(str(second / 'view.png'), str(second / 'decoded')).pixels.shape == (160, 120)


def test_few_views_stay_open(tmp_path, monkeypatch):
    monkeypatch.setattr('mmmammo.datasets.view_store._OPEN_VIEWS', 2)
    store = ViewStore(Fusion())
    for number in range(4):
        path = tmp_path / f'{number}.png'
        write_png16(path, breast((40, 40)))
        store.view(str(path), str(tmp_path / 'decoded'))
    assert [Path(path).stem for path, _ in store._open] == ['2', '3']


def test_what_was_cut_off_while_writing_is_written_again(png, tmp_path):
    folder = tmp_path / 'decoded'
    expected = ViewStore(Fusion()).view(png, str(folder)).read(BOXES[1])
    (facts,) = folder.glob('*.npz')
    (pixels,) = folder.glob('*.npy')
    facts.unlink()
    pixels.write_bytes(b'half')
    np.testing.assert_array_equal(ViewStore(Fusion()).view(png, str(folder)).read(BOXES[1]), expected)


def test_a_folder_that_cannot_be_written_names_the_way_out(png, tmp_path):
    blocked = tmp_path / 'decoded'
    blocked.write_text('a file')
    with pytest.raises(MammoError, match='cache=None'):
        ViewStore(Fusion()).view(png, str(blocked))


@pytest.mark.parametrize('folder', [None, 'decoded'])
def test_a_missing_file_is_named(tmp_path, folder):
    with pytest.raises(MammoError, match=r'gone\.png'):
        ViewStore(Fusion()).view(str(tmp_path / 'gone.png'), folder and str(tmp_path / folder))
