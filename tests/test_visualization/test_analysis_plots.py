import numpy as np
import pytest

from mmmammo.anatomy.published_prior import published_counts
from mmmammo.structures import View
from mmmammo.visualization.analysis_plots import (
    FeatureRow,
    LossCurve,
    draw_anchors,
    draw_feature_maps,
    draw_geometric_prior,
    draw_losses,
    moving_mean,
    node_groups,
)


def test_nodes_are_grouped_by_their_lines():
    assert node_groups(View.CC, 22) == ([1, 8, 15, 22], ['nipple', 'line 1', 'line 2', 'pectoral'])
    ends, names = node_groups(View.MLO, 26)
    assert ends == [1, 8, 15, 22, 25, 26] and names[-2:] == ['corner line', 'corner']


def test_the_prior_is_drawn_with_zeros_left_white():
    axes = draw_geometric_prior(published_counts(), 'Published').axes[0]
    shown = axes.images[0].get_array()
    assert shown.shape == (22, 26) and np.ma.getmaskarray(shown).sum() == 22 * 26 - 48
    assert shown[0, 0] == pytest.approx(0.7071, abs=1e-4)
    assert '105 counts in 48 cells' in axes.get_title()


def test_a_moving_mean_by_hand():
    np.testing.assert_allclose(moving_mean(np.array([1.0, 2, 6, 3]), 1), [1.5, 3, 11 / 3, 4.5])
    np.testing.assert_allclose(moving_mean(np.array([1.0, 2, 6]), 0), [1, 2, 6])


def test_losses_and_their_stages():
    epochs = np.linspace(0.1, 4, 40)
    staged = LossCurve(epochs, 1 / epochs, ((0, 'heads'), (2, 'all')))
    figure = draw_losses({'staged': staged, 'whole': LossCurve(epochs, epochs)})
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ['heads', 'all']
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ['staged', 'whole']


def test_anchors_beside_boxes():
    axes = draw_anchors(np.array([[10.0, 12], [20, 18]]), {'fitted': np.array([[15.0, 15]])}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ['boxes (2)', 'fitted']


@pytest.mark.parametrize('attention', [None, np.full((8, 6), 0.5)], ids=['without attention', 'with'])
def test_features_before_and_after(attention):
    before = np.ones((8, 6))
    row = FeatureRow('L CC', np.zeros((32, 24)), before, 2 * before, attention, np.array([[4.0, 4, 12, 12]]))
    panels = [axes for axes in draw_feature_maps([row, row]).axes if axes.images]
    assert len(panels) == 2 * (4 if attention is None else 5)
    np.testing.assert_array_equal(panels[3].images[0].get_array(), 1)
