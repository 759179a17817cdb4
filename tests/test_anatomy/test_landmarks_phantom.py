"""Against the exact landmarks of a phantom."""

import numpy as np
import pytest

from mmmammo.anatomy import detect_landmarks
from mmmammo.phantom import PhantomConfig, make_exam


@pytest.fixture(scope='module')
def exam():
    return make_exam(PhantomConfig(height=512), seed=3)


def test_every_view_within_a_hundredth_of_its_height(exam):
    for view in exam.views:
        found, truth = detect_landmarks(view.image, view.laterality, view.view), view.landmarks
        assert np.hypot(*(found.nipple - truth.nipple)) < 5, view.name
        direction = (truth.pectoral_line[1] - truth.pectoral_line[0]) / np.hypot(
            *np.diff(truth.pectoral_line, axis=0)[0]
        )
        off = (found.pectoral_line - truth.pectoral_line[0]) @ (-direction[1], direction[0])
        assert np.abs(off).max() < 8, view.name
        assert found.confidence > 0.6, view.name
