"""How an exam is hung: who lies where, which way round, and what is said about what is missing."""

import cv2
import numpy as np
import pytest

from mmmammo.structures import MammoError
from mmmammo.visualization import PanelView, draw_exam_panel, save_exam_panel
from mmmammo.visualization.exam_panel import arrange


def prepared(laterality, view, grey, h=120, w=100, **marks):
    """A breast with its chest wall on the left edge: bright there, dark on the right half."""
    image = np.zeros((h, w), np.float32)
    image[:, : w // 2] = grey
    return PanelView(image, laterality, view, **marks)


FOUR = [prepared('L', 'MLO', 0.8), prepared('R', 'CC', 0.2), prepared('L', 'CC', 0.4), prepared('R', 'MLO', 0.6)]


def cells(views):
    return [[cell and (cell.laterality, cell.view) for cell in row] for row in arrange(views)]


def middle_of(panel):
    """Mean grey of the four quarters beside the middle line."""
    h, w = panel.shape[:2]
    rows, columns = (
        (slice(60, 110), slice(-110, -60)),
        (slice(w // 2 - 30, w // 2 - 10), slice(w // 2 + 10, w // 2 + 30)),
    )
    return [[panel[row, column].mean() / 255 for column in columns] for row in rows]


def test_right_hangs_beside_left_with_chest_walls_touching():
    panel = draw_exam_panel(FOUR)
    np.testing.assert_allclose(middle_of(panel), [[0.2, 0.4], [0.6, 0.8]], atol=0.01)
    outer = panel[60:110, [3, -3]]
    assert outer.max() == 0  # the dark halves point outwards


def test_source_images_hang_the_same_way():
    sources = [PanelView(v.image[:, ::-1], 'R', v.view, chest_wall='right') if v.laterality == 'R' else v for v in FOUR]
    np.testing.assert_array_equal(draw_exam_panel(sources), draw_exam_panel(FOUR))


def test_boxes_follow_the_mirror():
    box = [[60, 40, 90, 80]]  # on the dark half, off the chest wall
    views = [prepared('R', 'CC', 0.2, boxes=box, scores=[0.5]), prepared('L', 'CC', 0.2, boxes=box, scores=[0.5])]
    plain = [prepared('R', 'CC', 0.2), prepared('L', 'CC', 0.2)]
    marks = (draw_exam_panel(views).astype(int) - draw_exam_panel(plain)).any(axis=2)
    middle = marks.shape[1] // 2
    left, right = marks[140, :middle], marks[140, middle:]  # small views are enlarged twice
    assert left.any() and right.any()
    assert abs((middle - np.flatnonzero(left).max()) - np.flatnonzero(right).min()) <= 3
    assert abs(np.flatnonzero(right).min() - 122) <= 4


def test_missing_views_keep_their_place():
    assert cells([FOUR[0]]) == [[None, None], [None, ('L', 'MLO')]]
    assert draw_exam_panel([FOUR[0]]).shape[0] > 120


def test_repeats_other_projections_and_unknown_sides_come_below():
    more = [
        prepared('L', 'CC', 0.1),
        prepared('R', 'ML', 0.1),
        prepared('U', 'UNKNOWN', 0.1),
        prepared('R', 'XCCL', 0.1),
    ]
    assert cells([*FOUR, *more])[2:] == [[('R', 'ML'), ('L', 'CC')], [('R', 'XCCL'), ('U', 'UNKNOWN')]]
    assert draw_exam_panel([*FOUR, *more]).shape[0] > draw_exam_panel(FOUR).shape[0] + 200


def test_large_images_are_shrunk_to_one_scale():
    views = [prepared('R', 'CC', 0.2, h=3000, w=2000), prepared('L', 'CC', 0.4, h=1500, w=1000)]
    panel = draw_exam_panel(views, max_side=800)
    assert max(panel.shape) <= 800
    bright = [(abs(panel[..., 0] / 255.0 - grey) < 0.01).sum() for grey in (0.2, 0.4)]
    assert bright[0] / bright[1] == pytest.approx(4, rel=0.05)


def test_png_holds_pixels_and_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'panel.png'
    save_exam_panel(path, FOUR, title='Exam 1')
    content = path.read_bytes()
    assert not any(chunk in content for chunk in (b'tEXt', b'iTXt', b'zTXt', b'eXIf'))
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], draw_exam_panel(FOUR, title='Exam 1'))


@pytest.mark.parametrize(
    ('views', 'words'),
    [
        pytest.param([], 'views: found none', id='no view'),
        pytest.param([PanelView(np.zeros((4, 4, 3)), 'L', 'CC')], 'exam panel, L CC: image', id='colour'),
        pytest.param([PanelView(np.zeros((0, 4)), 'R', 'CC')], 'exam panel, R CC: image', id='empty'),
    ],
)
def test_nothing_to_draw_is_refused(views, words):
    with pytest.raises(MammoError, match=words):
        draw_exam_panel(views)
