"""The small copy of an image and the breast in it."""

import numpy as np
import pytest

from mmmammo.preprocessing import SmallCopy
from mmmammo.structures import Laterality


def half_disc(shape, radius, centre=None, left=True):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    centre = centre or (0, shape[0] / 2)
    image = np.where(np.hypot(x - centre[0], y - centre[1]) < radius, 0.6, 0.0).astype(np.float32)
    return image if left else np.ascontiguousarray(image[:, ::-1])


def test_copy_has_means_of_blocks_and_leaves_the_rest_out():
    image = np.arange(1030 * 2050, dtype=np.float32).reshape(1030, 2050) / 3e6
    small = SmallCopy.of(image)
    assert small.factor == 3 and small.shape == (1030, 2050)
    assert small.pixels.shape == (343, 683)
    assert small.pixels[1, 2] == pytest.approx(image[3:6, 6:9].mean(), rel=1e-5)


@pytest.mark.parametrize('left', [True, False])
def test_box_holds_breast_and_margin_but_none_at_the_wall(left):
    image = half_disc((2050, 1501), radius=600, left=left)  # factor 3: 2050 leaves a row, 1501 a column
    small = SmallCopy.of(image)
    x1, y1, x2, y2 = small.box(margin=0.1)
    assert small.side is (Laterality.LEFT if left else Laterality.RIGHT)
    assert (x1 if left else x2) == (0 if left else 1501)
    assert x2 - x1 == pytest.approx(720, abs=12) and y2 - y1 == pytest.approx(1200 + 240, abs=15)
    assert (image[y1:y2, x1:x2] > 0).sum() == (image > 0).sum()


def test_box_ends_at_the_image_where_the_breast_does():
    image = half_disc((2050, 1500), radius=1300, centre=(0, 1300))
    x1, y1, _, y2 = SmallCopy.of(image).box()
    assert (x1, y1, y2) == (0, 0, 2050)


def test_without_a_breast_the_box_is_the_image():
    small = SmallCopy.of(np.zeros((40, 30), np.float32))
    assert small.side is Laterality.UNKNOWN
    assert small.box() == (0, 0, 30, 40)
