"""The MMEngine shell of localisation accuracy, and the dump of heatmaps."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpretrain.structures import DataSample

from mmmammo.evaluation.functional import best_iou_per_threshold, bootstrap_ci, localisation_accuracy
from mmmammo.evaluation.metrics import HeatmapDump, LocalisationMetric
from mmmammo.io import read_heatmap, read_png16
from mmmammo.io.localisation_tables import read_localisation
from mmmammo.registry import METRICS
from mmmammo.structures import Heatmap, MammoError

BOX = [10.0, 20.0, 40.0, 50.0]
SIDE = 64
IOUS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def indicator(box, shape=(SIDE, SIDE)):
    x1, y1, x2, y2 = (int(value) for value in box)
    heatmap = torch.zeros(shape)
    heatmap[y1:y2, x1:x2] = 0.7
    return heatmap


def data_sample(img_id, heatmap, boxes=(), **meta):
    """A sample whose input is half as wide and a quarter as high as the prepared image."""
    given = {'img_id': img_id, 'img_shape': (SIDE, SIDE), 'scale_factor': (0.5, 0.25), 'patient_id': f'p{img_id}'}
    sample = DataSample(metainfo=given | meta)
    sample.gt_instances = InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4) / torch.tensor([0.5, 0.25] * 2))
    if heatmap is not None:
        sample.set_field(heatmap, 'heatmap')
    return sample


def evaluate(metric, samples):
    evaluator = Evaluator(metric)
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def test_maps_of_the_true_box_are_right_at_every_iou():
    metric = METRICS.build({'type': 'mmmammo.LocalisationMetric'})
    found = evaluate(metric, [data_sample(i, indicator(BOX), [BOX]) for i in range(3)])
    assert {f'localisation/{iou:.2f}' for iou in IOUS} < set(found)
    assert all(found[f'localisation/{iou:.2f}'] == 1 for iou in IOUS)
    assert found['localisation/mean7_0.20-0.80'] == 1
    assert (found['localisation/n_images'], found['localisation/n_without_lesion']) == (3, 0)


def test_an_iou_that_is_just_reached_counts():
    # with inclusive pixels the region's box is 7 x 10 of the lesion's 10 x 10
    sample = data_sample(1, indicator([0, 0, 6, 9]), [[0.0, 0, 9, 9]])
    found = evaluate(LocalisationMetric(), [sample])
    assert (found['localisation/0.70'], found['localisation/0.80']) == (1, 0)


def test_the_row_of_every_image_is_kept_where_it_is_wanted(tmp_path):
    path = tmp_path / 'new' / 'maps.npz'
    samples = [data_sample(1, indicator(BOX), [BOX]), data_sample(2, indicator(BOX))]
    evaluate(LocalisationMetric(iou_thrs=(0.5, 0.3), frozen={0.3: 0.1, 0.5: 0.2}, path=path), samples)
    kept = read_localisation(path)
    assert (kept.image_ids, kept.patient_ids, kept.frozen) == (('1', '2'), ('p1', 'p2'), (0.2, 0.1))
    assert kept.keys[:2] == ('localisation/0.50', 'localisation/0.30') and len(kept.keys) == 3
    np.testing.assert_array_equal(kept.best_ious[0], best_iou_per_threshold(indicator(BOX).numpy(), [BOX]))
    assert np.isnan(kept.best_ious[1]).all()


def test_it_is_the_functions_over_the_images_with_a_lesion():
    rng = np.random.default_rng(0)
    maps = [torch.from_numpy(rng.random((8, 8))) for _ in range(12)]
    samples = [data_sample(i, m, [BOX] if i % 3 else []) for i, m in enumerate(maps)]
    found = evaluate(LocalisationMetric(bootstrap=50, iou_thrs=(0.1, 0.3)), samples)
    rows = [best_iou_per_threshold(m.numpy(), [BOX], (SIDE, SIDE)) for i, m in enumerate(maps) if i % 3]
    expected = localisation_accuracy(rows, (0.1, 0.3))
    assert found['localisation/0.10'] == pytest.approx(expected.accuracy[0.1])
    assert found['localisation/threshold@0.30'] == expected.threshold[0.3]
    assert (found['localisation/n_images'], found['localisation/n_without_lesion']) == (8, 4)
    assert found['localisation/0.10_low'] <= found['localisation/0.10'] <= found['localisation/0.10_high']
    table = np.stack([np.full(1000, np.nan) if i % 3 == 0 else rows[i - i // 3 - 1] for i in range(12)])
    interval = bootstrap_ci(
        lambda drawn: list(localisation_accuracy(table[drawn], (0.1, 0.3)).accuracy.values()),
        [f'p{i}' for i in range(12)],
        50,
    )
    assert found['localisation/0.30_low'] == pytest.approx(interval.low[1])


def test_flat_and_undefined_maps_find_nothing():
    maps = [torch.zeros(8, 8), torch.full((8, 8), torch.nan)]
    found = evaluate(LocalisationMetric(), [data_sample(i, m, [BOX]) for i, m in enumerate(maps)])
    assert found['localisation/0.20'] == 0 and found['localisation/n_images'] == 2


def test_without_a_lesion_it_is_undefined_under_the_same_names():
    nothing = evaluate(LocalisationMetric(), [data_sample(0, indicator(BOX))])
    something = evaluate(LocalisationMetric(), [data_sample(0, indicator(BOX), [BOX])])
    assert nothing.keys() == something.keys()
    assert np.isnan(nothing['localisation/0.50']) and nothing['localisation/n_without_lesion'] == 1


def test_frozen_thresholds_are_used():
    faint = indicator(BOX)
    faint[:10, :10] = 0.1
    best = evaluate(LocalisationMetric((0.5,), regions='largest'), [data_sample(0, faint, [BOX])])
    frozen = LocalisationMetric((0.5,), regions='largest', frozen={0.5: 0.999})
    found = evaluate(frozen, [data_sample(0, faint, [BOX])])
    assert best['localisation/0.50'] == found['localisation/0.50'] == 1
    assert found['localisation/threshold@0.50'] == 0.999


def test_what_is_missing_is_named():
    with pytest.raises(MammoError, match=r'heatmap.*ClassMapHead'):
        evaluate(LocalisationMetric(), [data_sample(0, None, [BOX])])
    sample = data_sample(0, indicator(BOX))
    del sample.gt_instances
    with pytest.raises(MammoError, match=r'gt_instances.*PackView'):
        evaluate(LocalisationMetric(), [sample])
    with pytest.raises(MammoError, match='patient_id'):
        evaluate(LocalisationMetric(bootstrap=10), [data_sample(0, indicator(BOX), [BOX], patient_id='')])


def test_heatmaps_are_written_beside_the_names_of_their_images(tmp_path):
    samples = [
        data_sample(1, indicator(BOX), img_path=str(tmp_path / 'images' / 'exam' / 'L_CC.png')),
        data_sample(2, None, img_path=str(tmp_path / 'images' / 'exam' / 'L_MLO.png')),
    ]
    found = evaluate(HeatmapDump(tmp_path / 'maps', tmp_path / 'images'), samples)
    assert found == {'heatmaps/n_images': 1}
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob('*.png')] == ['maps/exam/L_CC.png']
    assert read_png16(tmp_path / 'maps' / 'exam' / 'L_CC.png').max() == pytest.approx(0.7, abs=1e-4)


def test_maps_of_classes_lie_beside_with_their_place_in_the_source(tmp_path):
    values = np.array([[[0.1, 0.2]], [[0.4, np.nan]]], dtype=np.float32)
    path, affine = str(tmp_path / 'images' / 'exam' / '1.2.840.png'), np.diag([0.5, 0.5, 1.0])
    sample = data_sample(1, indicator(BOX), img_path=path, affine=affine)
    sample.set_field(Heatmap(values, 32.0, (32, 64)), 'class_heatmaps')
    metric = HeatmapDump(tmp_path / 'maps', tmp_path / 'images')
    metric.dataset_meta = {'classes': ('mass', 'calcification')}
    metric.process(None, [sample.to_dict()])
    names = sorted(file.name for file in (tmp_path / 'maps' / 'exam').iterdir())
    assert names == ['1.2.840.npz', '1.2.840.png', '1.2.840_calcification.png', '1.2.840_mass.png']
    stored = read_heatmap(tmp_path / 'maps' / 'exam' / '1.2.840.npz')
    assert stored.classes == ('mass', 'calcification')
    np.testing.assert_array_equal(stored.heatmap.values, values)
    np.testing.assert_allclose(stored.source_from_cell.matrix, np.diag([64, 64, 1]))  # source pixels are half as large


def test_images_from_elsewhere_are_refused(tmp_path):
    sample = data_sample(1, indicator(BOX), img_path='/elsewhere/a.png')
    with pytest.raises(MammoError, match='elsewhere'):
        evaluate(HeatmapDump(tmp_path / 'maps', tmp_path / 'images'), [sample])
