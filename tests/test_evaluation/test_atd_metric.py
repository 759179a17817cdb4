"""ATDMetric gathers what DINO's head matched, and counts it as the functional does."""

import numpy as np
import pytest
import torch

from mmmammo.evaluation.functional import average_top_distance
from mmmammo.evaluation.metrics import ATDMetric
from mmmammo.io.anchor_tables import read_anchors
from mmmammo.structures import MammoError


def sample(image_id, anchors, boxes, size=(100, 200)):
    matched = {'anchors': torch.tensor(anchors).reshape(-1, 4), 'boxes': torch.tensor(boxes).reshape(-1, 4)}
    return {'img_id': image_id, 'ori_shape': size, 'matched_anchors': matched}


SAMPLES = [
    # sides in pixels: root of (0.1 * 200) * (0.2 * 100) = 20, of (0.4 * 200) * (0.2 * 100) = 40
    sample(3, [[0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.4, 0.4]], [[0.5, 0.5, 0.1, 0.2], [0.2, 0.5, 0.4, 0.2]]),
    sample(1, [[0.5, 0.5, 0.5, 0.5]], [[0.5, 0.5, 0.1, 0.2]]),
    sample(2, [], []),
]


def score(metric, samples):
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_the_largest_distances_of_all_images():
    found = score(ATDMetric(k=(1, 2, 100), size_classes={'small': (0, 30), 'large': (30, 99)}), SAMPLES)
    # distances 0.1, 0.3 + 0.2 = 0.5, 0.4 + 0.3 = 0.7; the first and the last are of small lesions
    expected = {
        'atd/1': 0.7,
        'atd/2': 0.6,
        'atd/100': 1.3 / 3,
        'atd/small/1': 0.7,
        'atd/small/2': 0.4,
        'atd/small/100': 0.4,
        'atd/large/1': 0.5,
        'atd/large/2': 0.5,
        'atd/large/100': 0.5,
        'atd/n_images': 3,
        'atd/n_lesions': 3,
    }
    assert found == pytest.approx(expected, abs=1e-6)
    boxes, anchors = (
        np.concatenate([s['matched_anchors'][key].numpy() for s in SAMPLES]) for key in ('boxes', 'anchors')
    )
    assert found['atd/2'] == average_top_distance(anchors, boxes, 2)


def test_images_that_a_sampler_repeats_count_once():
    assert score(ATDMetric(k=1), [*SAMPLES, SAMPLES[0]])['atd/n_lesions'] == 3


def test_without_lesions_the_keys_stay_and_say_nan():
    found = score(ATDMetric(size_classes={'small': (0, 30)}), SAMPLES[2:])
    assert set(found) == {'atd/100', 'atd/small/100', 'atd/n_images', 'atd/n_lesions'}
    assert np.isnan(found['atd/100']) and found['atd/n_lesions'] == 0


def test_the_table_has_every_lesion_and_what_the_numbers_are_called(tmp_path):
    samples = [{**one, 'patient_id': f'p{one["img_id"]}'} for one in SAMPLES]
    path = tmp_path / 'new' / 'anchors.npz'
    found = score(ATDMetric(k=(1, 100), size_classes={'small': (0, 30)}, path=path), samples)
    table = read_anchors(path)
    assert (table.image_ids, table.patient_ids) == (('1', '2', '3'), ('p1', 'p2', 'p3'))
    assert table.lesion_image.tolist() == [0, 2, 2]
    assert table.distances == pytest.approx([0.7, 0.1, 0.5]) and table.sides == pytest.approx([20, 20, 40])
    assert table.keys == ('atd/1', 'atd/100', 'atd/small/1', 'atd/small/100') and set(table.keys) < set(found)
    assert table.ks == (1, 100, 1, 100) and table.sizes == ((0, np.inf), (0, np.inf), (0, 30), (0, 30))


def test_a_head_that_tells_no_anchors_is_named():
    with pytest.raises(MammoError, match=r'matched_anchors.*match_anchors=True'):
        score(ATDMetric(), [{'img_id': 1, 'ori_shape': (9, 9)}])
