"""A patch classifier asked for whole views: the boxes of a heatmap, and what a sample gets."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from tiny_patches import build_classifier

from mmmammo.models.sliding import heatmap_instances
from mmmammo.structures import Heatmap, MammoError

KIND = 'mmmammo.SlidingPatchDetector'
SLIDING = {'window': 64, 'stride': 32}


def heatmap_of(*maps, cell=10.0, shape=(200, 100), **place):
    return Heatmap(np.stack(maps).astype(np.float32), cell, shape, **place)


def flat(value=0.1):
    return np.full((20, 10), value)


def test_a_box_surrounds_what_is_higher_than_half_way_to_the_peak():
    values = flat()
    values[4:7, 2:5] = 0.5  # half way from .1 to .8 is .45
    values[5, 3] = 0.8
    values[7, 3] = 0.44
    found = heatmap_instances(heatmap_of(values), distance=3)
    np.testing.assert_allclose(found.bboxes, [[20, 40, 50, 70]])
    assert found.scores.tolist() == pytest.approx([0.8])
    assert found.labels.tolist() == [0]


def test_boxes_end_with_the_image_and_follow_its_origin():
    values = flat()
    values[19, 9] = 0.9
    found = heatmap_instances(heatmap_of(values, shape=(195, 98)))
    np.testing.assert_allclose(found.bboxes, [[90, 190, 98, 195]])
    moved = heatmap_instances(heatmap_of(values, shape=(300, 300), origin=(5.0, 20.0)))
    np.testing.assert_allclose(moved.bboxes, [[95, 210, 105, 220]])


def test_the_strongest_class_names_a_peak_and_no_place_is_told_twice():
    one, other = flat(), flat()
    one[5, 3], other[5, 3], other[15, 7] = 0.6, 0.7, 0.5
    both = heatmap_of(one, other)
    found = heatmap_instances(both)
    assert found.labels.tolist() == [1, 1]
    assert found.scores.tolist() == pytest.approx([0.7, 0.5])
    apart = heatmap_instances(both, per_class=True)
    assert apart.labels.tolist() == [1, 0, 1]
    assert apart.scores.tolist() == pytest.approx([0.7, 0.6, 0.5])


def test_peaks_of_one_region_are_one_box():
    values = flat()
    values[2:16, 4] = 0.5
    values[2, 4], values[15, 4] = 0.6, 0.59
    found = heatmap_instances(heatmap_of(values), distance=3)
    assert found.scores.tolist() == pytest.approx([0.6])


@pytest.mark.parametrize('values', [flat(), flat(np.nan), flat(0.0)])
def test_a_flat_map_has_no_box(values):
    found = heatmap_instances(heatmap_of(values))
    assert found.bboxes.shape == (0, 4) and len(found.scores) == len(found.labels) == 0


def test_weak_peaks_and_further_ones_are_left_out():
    values = np.zeros((20, 10))
    values[[2, 9, 17], [2, 7, 3]] = 0.03, 0.6, 0.4
    assert len(heatmap_instances(heatmap_of(values)).scores) == 2
    assert heatmap_instances(heatmap_of(values), max_per_image=1).scores.tolist() == pytest.approx([0.6])


@pytest.mark.parametrize('settings', [{'threshold': 2}, {'level': 1}, {'distance': 0}, {'max_per_image': 0}])
def test_numbers_that_make_no_sense_are_refused(settings):
    with pytest.raises(MammoError, match='heatmap_instances'):
        heatmap_instances(heatmap_of(flat()), **settings)


def view(height=200, width=120):
    """A bright breast on the left of a black view, in all channels."""
    rows, columns = np.ogrid[:height, :width]
    inside = (rows - height / 2) ** 2 + columns**2 < (0.45 * height) ** 2 * (columns < 100)
    grey = inside * (0.5 + 0.1 * np.random.default_rng(0).random((height, width)))
    return torch.from_numpy(np.stack([grey] * 3)).float()


def sample_of(image, **more):
    size = tuple(image.shape[1:])
    return DetDataSample(metainfo={'img_shape': size, 'ori_shape': size, 'img_path': 'a.png'} | more)


def test_a_sample_gets_heatmap_boxes_and_scores():
    model = build_classifier(kind=KIND, sliding=SLIDING, boxes={'threshold': 0.0}, num_findings=2)
    image = view()
    sample = model.test_step({'inputs': [image], 'data_samples': [sample_of(image)]})[0]
    heatmap = sample.class_heatmaps
    assert heatmap.values.shape == (2, 7, 4)  # the third output is no finding
    assert sample.heatmap.shape == (200, 120)
    assert float(sample.heatmap[100, 10]) == pytest.approx(float(np.nanmax(heatmap.values[:, 3, 0])))
    assert float(sample.heatmap[0, 119]) == 0  # no breast
    assert sample.pred_score.tolist() == pytest.approx(np.nanmax(heatmap.values, axis=(1, 2)).tolist())
    boxes = sample.pred_instances.bboxes
    assert len(boxes) and (boxes >= 0).all() and (boxes <= torch.tensor([120, 200, 120, 200])).all()


def test_weights_are_those_of_the_classifier():
    classifier, detector = build_classifier(), build_classifier(kind=KIND, sliding=SLIDING)
    detector.load_state_dict(classifier.state_dict())
    assert detector.state_dict().keys() == classifier.state_dict().keys()


def test_a_resized_view_is_told_of_in_prepared_pixels():
    model = build_classifier(kind=KIND, sliding=SLIDING, boxes={'threshold': 0.0})
    image = view()
    half = {'ori_shape': (400, 240), 'homography_matrix': np.diag([0.5, 0.5, 1.0])}
    sample = model.test_step({'inputs': [image], 'data_samples': [sample_of(image, **half)]})[0]
    plain = model.test_step({'inputs': [image], 'data_samples': [sample_of(image)]})[0]
    assert sample.class_heatmaps.cell == 64
    assert sample.heatmap.shape == (400, 240)
    np.testing.assert_allclose(sample.pred_instances.bboxes, 2 * plain.pred_instances.bboxes, atol=1e-3)


def test_a_stretched_view_is_refused():
    model, image = build_classifier(kind=KIND, sliding=SLIDING), view()
    stretched = sample_of(image, homography_matrix=np.diag([0.5, 0.8, 1.0]))
    with pytest.raises(MammoError, match=r'a\.png.*one factor for both sides'):
        model.test_step({'inputs': [image], 'data_samples': [stretched]})


def test_what_fills_up_a_batch_is_no_part_of_a_view():
    model = build_classifier(kind=KIND, sliding=SLIDING)
    large, small = view(), view(150, 100)
    both = model.test_step({'inputs': [large, small], 'data_samples': [sample_of(large), sample_of(small)]})
    alone = model.test_step({'inputs': [small], 'data_samples': [sample_of(small)]})[0]
    np.testing.assert_allclose(both[1].heatmap, alone.heatmap, atol=1e-6)


def test_black_is_what_the_preprocessor_makes_of_it():
    normalised = dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.5, 0.4, 0.2], std=[0.5, 0.2, 0.1])
    model = build_classifier(kind=KIND, data_preprocessor=normalised)
    assert model.black(3).tolist() == pytest.approx([-1, -2, -2])
    assert build_classifier(kind=KIND).black(3).tolist() == [0, 0, 0]
