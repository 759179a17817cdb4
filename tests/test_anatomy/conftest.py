"""Synthetic breasts whose landmarks are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


@pytest.fixture(scope='session')
def make_breast():
    return half_ellipse


def half_ellipse(
    size=(1024, 800), semi_axes=(500, 450), muscle_top=None, degrees=60.0, bump=None, texture=0.0, background=0.02
):
    """Half an ellipse on the left edge, with a bright muscle behind a straight edge from (muscle_top, 0)."""
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x / semi_axes[0]) ** 2 + ((y - height / 2) / semi_axes[1]) ** 2 < 1
    if bump is not None:
        inside |= np.hypot(x - bump[0], y - bump[1]) < bump[2]
    image = np.where(inside, 0.4, background)
    if muscle_top is not None:
        angle = np.deg2rad(degrees)
        image[inside & ((x - muscle_top) * np.sin(angle) + y * np.cos(angle) < 0)] = 0.8
    if texture:
        rng = np.random.default_rng(0)
        grain = gaussian_filter(rng.normal(size=size), 3)
        image = image + texture * grain / grain.std() * inside + rng.normal(0, 0.01, size)
    return np.clip(gaussian_filter(image, 1), 0, 1).astype(np.float32)
