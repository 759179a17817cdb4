"""Heatmaps in colour."""

import numpy as np
import pytest

from mmmammo.structures import Heatmap, MammoError
from mmmammo.visualization import draw_heatmaps
from mmmammo.visualization.heatmap_figure import tinted


@pytest.fixture
def heatmap():
    values = np.zeros((3, 4, 3), dtype=np.float32)
    values[0, 1, 1], values[2, 2, 2] = 0.2, 0.6
    return Heatmap(values, 8.0, (32, 24))


def test_the_highest_classes_are_shown_in_one_scale(heatmap):
    figure = draw_heatmaps(np.zeros((32, 24)), heatmap, ('a', 'b', 'c'), boxes=[[1, 1, 9, 9]], shown=2)
    *panels, bar = figure.axes
    assert [axes.get_title() for axes in panels] == ['view', 'c  0.60', 'a  0.20']
    assert bar.get_ylim() == pytest.approx((0, 0.6))


def test_a_dark_map_leaves_the_image_as_it_is():
    grey = np.full((4, 4, 3), 90, dtype=np.uint8)
    assert (tinted(grey, np.zeros((4, 4))) == 90).all()
    assert (tinted(grey, np.ones((4, 4))) != 90).any()


def test_a_heatmap_of_another_image_is_refused(heatmap):
    with pytest.raises(MammoError, match=r'3 maps of an image \(32, 24\)'):
        draw_heatmaps(np.zeros((30, 24)), heatmap, ('a', 'b', 'c'))
