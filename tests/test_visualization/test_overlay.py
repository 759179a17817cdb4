"""Marks land on the pixels they name."""

import numpy as np

from mmmammo.structures import BreastLandmarks
from mmmammo.visualization import draw_overlay
from mmmammo.visualization.overlay import blend_attention, blend_regions, to_rgb

GREY = np.full((80, 60), 0.5, np.float32)


def changed(picture, image=GREY):
    """Where a picture differs from its plain image."""
    return (picture.astype(int) - to_rgb(image)).any(axis=2)


def test_plain_image_is_untouched():
    assert not changed(draw_overlay(GREY)).any()
    assert draw_overlay(GREY).shape == (80, 60, 3)


def test_values_outside_the_range_are_clipped():
    np.testing.assert_array_equal(to_rgb(np.array([[-1.0, 0.0, 1.0, 7.0]]))[0, :, 0], [0, 0, 255, 255])


def test_box_is_drawn_along_its_edges_only():
    marks = changed(draw_overlay(GREY, boxes=[[10, 20, 40, 60]]))
    for row, column in ((20, 25), (59, 25), (40, 10), (40, 39)):
        assert marks[row, column]
    assert not marks[25:55, 15:35].any() and not marks[:15].any() and not marks[:, 46:].any()


def test_truth_is_dashed():
    solid = changed(draw_overlay(GREY, boxes=[[10, 20, 50, 60]]))
    dashed = changed(draw_overlay(GREY, gt_boxes=[[10, 20, 50, 60]]))
    assert solid[40 - 15 : 40 + 15, 10].all()
    assert 0 < dashed[40 - 15 : 40 + 15, 10].mean() < 1


def test_score_of_a_box_at_the_top_is_written_inside():
    with_score = changed(draw_overlay(GREY, boxes=[[5, 0, 50, 70]], scores=[0.9]))
    without = changed(draw_overlay(GREY, boxes=[[5, 0, 50, 70]]))
    assert (with_score & ~without)[3:20, 8:40].any()


def test_landmarks_and_nodes():
    landmarks = BreastLandmarks(contour=[[0, 10], [40, 40], [0, 70]], nipple=[50, 30], pectoral_line=[[20, 0], [0, 30]])
    marks = changed(draw_overlay(GREY, landmarks=landmarks, nodes=[[30, 60]]))
    assert marks[30, 50] and marks[15, 10] and marks[40, 39] and marks[60, 30]
    assert not marks[75:, 45:].any()


def test_attention_is_red_where_it_strengthens_and_blue_where_it_weakens():
    attention = np.full((4, 3), 0.5)
    attention[0, 2], attention[3, 0] = 0.9, 0.1
    rgb = blend_attention(to_rgb(GREY), attention)
    marks = changed(rgb)
    assert marks[:5, -5:].all() and marks[-5:, :5].all() and not marks[38:42, 28:32].any()
    assert rgb[0, -1, 0] > rgb[0, -1, 2]
    assert rgb[-1, 0, 2] > rgb[-1, 0, 0]


def test_neutral_attention_changes_nothing():
    assert not changed(blend_attention(to_rgb(GREY), np.full((4, 3), 0.5))).any()


def test_regions_colour_only_what_is_suspicious():
    rgb = to_rgb(np.full((20, 20), 0.5))
    regions = np.zeros((20, 20))
    assert np.array_equal(blend_regions(rgb, regions), rgb)
    regions[5:15, 5:15] = 0.7
    blended = blend_regions(rgb, regions).astype(int)
    assert np.array_equal(blended[0], rgb[0])
    assert blended[10, 10, 0] > blended[10, 10, 2] + 30  # red and yellow mean danger
