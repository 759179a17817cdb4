import numpy as np
import pytest

from mmmammo.structures import Affine


def test_crop_then_mirror_of_a_hand_worked_point():
    crop = Affine.translation(-2, -1)
    mirror = Affine.mirror(10)
    assert (mirror @ crop).points([5, 4]).tolist() == [7, 3]


def test_mirrored_box_keeps_its_corners_in_order():
    assert Affine.mirror(10).boxes([[1, 2, 4, 6]]).tolist() == [[6, 2, 9, 6]]
    assert Affine.mirror(10).is_mirrored
    assert not Affine.scaling(2).is_mirrored


def test_inverse_takes_points_and_boxes_back():
    rng = np.random.default_rng(0)
    affine = Affine.scaling(0.3, 0.4) @ Affine.mirror(801) @ Affine.translation(-13.5, 7)
    points = rng.uniform(0, 1000, (50, 2))
    assert np.allclose(affine.inverse().points(affine.points(points)), points, atol=1e-9)
    boxes = np.concatenate([points, points + rng.uniform(1, 50, (50, 2))], axis=1)
    assert np.allclose(affine.inverse().boxes(affine.boxes(boxes)), boxes, atol=1e-9)


def test_json_round_trip_is_exact():
    affine = Affine.scaling(1 / 3) @ Affine.mirror(7)
    assert Affine.from_list(affine.to_list()) == affine


def test_no_boxes_stay_no_boxes():
    assert Affine.mirror(3).boxes(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize('matrix', [np.eye(2), np.diag([1, 0, 1]), np.diag([1, 1, 2]), np.full((3, 3), np.nan)])
def test_maps_without_inverse_are_refused(matrix):
    with pytest.raises(ValueError, match='an affine'):
        Affine(matrix)
