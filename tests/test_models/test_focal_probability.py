"""The focal loss is least at an output that is no probability; undone, it is one again."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from mmmammo.models.losses import MultiLabelFocalLoss
from mmmammo.models.sliding.focal_probability import undo_focal


def least_loss(share, gamma):
    """Where the loss of an output that is positive in that share of cases is least, found by looking."""
    loss = MultiLabelFocalLoss(gamma=gamma)

    def mean(p):
        logit = torch.logit(torch.tensor([[p]], dtype=torch.float64))
        positive, negative = (float(loss(logit, torch.tensor([[y]], dtype=torch.float64))) for y in (1.0, 0.0))
        return share * positive + (1 - share) * negative

    return minimize_scalar(mean, bounds=(1e-5, 1 - 1e-5), method='bounded', options={'xatol': 1e-9}).x


@pytest.mark.parametrize('gamma', [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize('share', [0.01, 0.1, 0.5, 0.93])
def test_the_output_of_least_loss_becomes_the_share_of_positives(share, gamma):
    assert undo_focal(np.array([least_loss(share, gamma)]), gamma)[0] == pytest.approx(share, abs=1e-4)


def test_a_tenth_is_said_as_three_tenths():
    assert least_loss(0.1, 2.0) == pytest.approx(0.306, abs=0.001)


def test_cross_entropy_is_left_alone():
    scores = np.linspace(0.001, 0.999, 50)
    np.testing.assert_allclose(undo_focal(scores, 0.0), scores, rtol=1e-5)


def test_the_order_stays_a_half_stays_and_sides_are_alike():
    scores = np.linspace(0, 1, 201)
    found = undo_focal(scores, 2.0)
    assert (np.diff(found) >= 0).all() and found[100] == pytest.approx(0.5) and found.dtype == np.float32
    np.testing.assert_allclose(found + found[::-1], 1, atol=1e-6)
    assert found[0] < 1e-6 and found[-1] > 1 - 1e-6


def test_places_without_a_window_stay_empty():
    found = undo_focal(np.array([[np.nan, 0.5]], dtype=np.float32), 2.0)
    assert np.isnan(found[0, 0]) and found[0, 1] == 0.5
