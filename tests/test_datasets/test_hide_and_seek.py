"""Hiding cells of a training image."""

import numpy as np
import pytest
from mmengine.runner import set_random_seed

from mmmammo.datasets.transforms import HideAndSeek
from mmmammo.datasets.transforms.hide_and_seek import hide_cells
from mmmammo.structures import MammoError

IMAGE = np.random.default_rng(0).random((10, 7), dtype=np.float32)


def literal(image, hidden, cell, fill):
    """Cell by cell, as the method is told."""
    out = image.copy()
    for row in range(hidden.shape[0]):
        for column in range(hidden.shape[1]):
            if hidden[row, column]:
                for y in range(row * cell, min((row + 1) * cell, image.shape[0])):
                    for x in range(column * cell, min((column + 1) * cell, image.shape[1])):
                        out[y, x] = fill
    return out


@pytest.mark.parametrize('cell', [1, 3, 4, 50])
def test_equals_the_loop(cell):
    hidden = np.random.default_rng(1).random((-(-10 // cell), -(-7 // cell))) < 0.5
    shown = hide_cells(IMAGE, hidden, cell, 0.25)
    np.testing.assert_array_equal(shown, literal(IMAGE, hidden, cell, 0.25))
    assert shown.dtype == np.float32


def test_rate_zero_is_the_plain_image_and_rate_one_is_flat():
    same = HideAndSeek(prob=0)({'img': IMAGE})['img']
    np.testing.assert_array_equal(same, IMAGE)
    assert (HideAndSeek(prob=1, fill=0.5)({'img': IMAGE})['img'] == 0.5).all()


def test_half_of_the_cells_are_hidden_anew_each_time():
    set_random_seed(0)
    hide = HideAndSeek(cell=2, prob=0.5, fill=0)
    white = np.ones((200, 200), dtype=np.float32)
    first, second = hide({'img': white})['img'], hide({'img': white})['img']
    assert abs(first.mean() - 0.5) < 0.03 and (first != second).any() and (white == 1).all()


@pytest.mark.parametrize('arguments', [dict(cell=0), dict(prob=1.5)])
def test_nonsense_is_refused(arguments):
    with pytest.raises(MammoError, match='HideAndSeek'):
        HideAndSeek(**arguments)
