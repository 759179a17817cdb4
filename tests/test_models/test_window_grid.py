"""The arithmetic of sliding windows."""

import numpy as np
import pytest

from mmmammo.models.sliding import WindowGrid
from mmmammo.structures import MammoError


def by_loops(scores, span):
    """The definition, window by window."""
    classes, rows, columns = scores.shape
    total = np.zeros((classes, rows + span - 1, columns + span - 1))
    count = np.zeros(total.shape[1:])
    for i in range(rows):
        for j in range(columns):
            total[:, i : i + span, j : j + span] += scores[:, i, j, None, None]
            count[i : i + span, j : j + span] += 1
    return total / count, count


@pytest.mark.parametrize(
    ('shape', 'padded', 'counts'),
    [
        ((3072, 1536), (3072, 1536), (89, 41)),
        ((3328, 2560), (3328, 2560), (97, 73)),
        ((256, 256), (256, 256), (1, 1)),
        ((257, 288), (288, 288), (2, 2)),
        ((10, 300), (256, 320), (1, 3)),
        ((1, 1), (256, 256), (1, 1)),
    ],
)
def test_windows_cover_the_image_and_end_with_it(shape, padded, counts):
    grid = WindowGrid(shape)
    assert grid.padded == padded
    assert grid.counts == counts == tuple((side - 256) // 32 + 1 for side in padded)
    assert all((n - 1) * 32 + 256 == side for n, side in zip(counts, padded, strict=True))
    assert all(side % 32 == 256 % 32 for side in padded)
    assert all(side >= own and side - own < 256 for side, own in zip(padded, shape, strict=True))


def test_a_constant_score_is_a_constant_heatmap():
    grid = WindowGrid((700, 500))
    heatmap = grid.heatmap(np.full((2, *grid.counts), 0.3, dtype=np.float32))
    assert heatmap.shape == (2, *grid.cells)
    assert (heatmap == np.float32(0.3)).all()


def test_one_window_spreads_over_its_cells():
    grid = WindowGrid((1024, 1024))
    scores = np.zeros((1, *grid.counts))
    scores[0, 10, 9] = 1
    heatmap = grid.heatmap(scores)[0]
    assert np.argwhere(heatmap > 0).min(axis=0).tolist() == [10, 9]
    assert np.argwhere(heatmap > 0).max(axis=0).tolist() == [17, 16]
    assert heatmap[10:18, 9:17] == pytest.approx(1 / 64)


def test_a_corner_has_one_window():
    grid = WindowGrid((512, 512))
    counts = grid.cover_counts()
    assert counts[0, 0] == counts[-1, -1] == 1
    assert counts[0, 8] == 8
    assert counts[8, 8] == 64


def test_heatmap_is_the_mean_over_covering_windows():
    grid = WindowGrid((500, 640), window=128, stride=32)
    scores = np.random.default_rng(0).random((3, *grid.counts))
    expected, count = by_loops(scores, 4)
    heatmap = grid.heatmap(scores)
    np.testing.assert_allclose(heatmap, expected, rtol=1e-6)
    np.testing.assert_array_equal(grid.cover_counts().round(), count)
    # every score is counted once for each cell of its window
    assert (heatmap * count).sum() * 32**2 == pytest.approx(scores.sum() * 128**2)


def test_a_mirrored_image_has_the_mirrored_heatmap():
    grid = WindowGrid((640, 512))
    scores = np.random.default_rng(1).random((1, *grid.counts))
    np.testing.assert_allclose(grid.heatmap(scores[..., ::-1]), grid.heatmap(scores)[..., ::-1], rtol=1e-6)


def test_windows_on_cells_are_those_that_cover_them():
    grid = WindowGrid((640, 512), window=128)
    mask = np.zeros((640, 512), dtype=bool)
    mask[321, 97] = True
    cells = grid.cells_of(mask)
    assert np.argwhere(cells).tolist() == [[10, 3]]
    windows = grid.windows_on(cells)
    assert np.argwhere(windows).tolist() == [[i, j] for i in range(7, 11) for j in range(4)]
    assert grid.cells_under(windows).sum() == 7 * 7


def test_leaving_windows_out_changes_nothing_where_all_are_there():
    grid = WindowGrid((640, 512), window=128)
    mask = np.zeros((640, 512), dtype=bool)
    mask[100:400, :200] = True
    cells = grid.cells_of(mask)
    scores = np.random.default_rng(2).random((2, *grid.counts))
    some = np.where(grid.windows_on(cells), scores, np.nan)
    np.testing.assert_array_equal(grid.heatmap(some)[:, cells], grid.heatmap(scores)[:, cells])


def test_no_score_at_all_is_nan():
    grid = WindowGrid((300, 300))
    assert np.isnan(grid.heatmap(np.full((1, *grid.counts), np.nan))).all()


@pytest.mark.parametrize('settings', [{'stride': 48}, {'stride': 0}, {'window': 16}, {'shape': (0, 5)}])
def test_impossible_grids_are_refused(settings):
    with pytest.raises(MammoError, match=r'WindowGrid.*expected'):
        WindowGrid(**({'shape': (300, 300)} | settings))


def test_scores_of_another_grid_are_refused():
    with pytest.raises(MammoError, match=r'\(classes, 2, 2\)'):
        WindowGrid((288, 288)).heatmap(np.zeros((1, 3, 3)))
