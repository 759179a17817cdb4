"""Labels of prepared images as targets of classifiers."""

import json

import numpy as np
import pytest
import torch

from mmmammo.datasets import ViewClassificationDataset
from mmmammo.datasets.label_rule import HAS_FINDING, LabelRule
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

pytestmark = pytest.mark.usefixtures('scope')

PIPELINE = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='mmmammo.PackView'),
]


def build(root, split='train', **kwargs):
    return ViewClassificationDataset(f'annotations/{split}.json', data_root=str(root), pipeline=PIPELINE, **kwargs)


def image(findings=0, **labels):
    return {'labels': labels, 'instances': [{}] * findings}


@pytest.fixture()
def relabelled(tmp_path):
    """A set whose images have the BI-RADS 1, 5, none, 1, 5, none, … in the order of the file."""
    root = make_prepared_set(tmp_path, {'train': 2, 'val': 1, 'test': 1}, size=(24, 20))
    path = root / 'annotations' / 'train.json'
    content = json.loads(path.read_text())
    for i, entry in enumerate(content['images']):
        entry['labels'] = {'birads': '15'[i % 3]} if i % 3 < 2 else {}
    path.write_text(json.dumps(content))
    return root


def test_binary_labels_are_class_numbers(prepared_root):
    data = build(prepared_root, labels='cancer')
    labels = [data.get_data_info(i)['gt_label'] for i in range(len(data))]
    assert labels == [data.get_data_info(i)['labels']['cancer'] for i in range(len(data))]
    assert set(labels) == {0, 1}
    assert data.metainfo['classes'] == ('no cancer', 'cancer')
    assert data.metainfo['box_classes'] == ('cancer',)
    assert [data.get_cat_ids(i) for i in range(len(data))] == [[label] for label in labels]


def test_samples_know_whose_image_they_are(prepared_root):
    sample = build(prepared_root, labels='cancer')[0]
    assert sample['inputs'].shape == (1, 32, 32) and sample['inputs'].dtype == torch.float32
    data = sample['data_samples']
    assert data.gt_label.tolist() == [1]
    assert (data.exam_id, data.laterality, data.view) == ('train_000', 'L', 'CC')
    assert data.patient_id == 'patient_train_000' and data.img_id == 1 and data.labels == {'cancer': 1}


def test_training_sees_no_box_and_testing_sees_prepared_pixels(prepared_root):
    assert 'gt_instances' not in build(prepared_root, labels=HAS_FINDING)[0]['data_samples']
    data = build(prepared_root, labels=HAS_FINDING, test_mode=True)
    record, truth = data.get_data_info(0), data[0]['data_samples'].gt_instances
    np.testing.assert_allclose(truth.bboxes.numpy(), [record['instances'][0]['bbox']], rtol=1e-6)
    assert truth.labels.tolist() == [0]
    empty = [i for i in range(len(data)) if not data.get_data_info(i)['gt_label']]
    assert data[empty[0]]['data_samples'].gt_instances.bboxes.shape == (0, 4)


def test_a_finding_is_a_label(prepared_root):
    data = build(prepared_root, labels=HAS_FINDING, classes=('no mass', 'mass'))
    assert [r['gt_label'] for r in data.iter_images()] == [int(bool(r['instances'])) for r in data.iter_images()]
    assert 'CC: 8 images; no mass 6, mass 2' in repr(data)


def test_several_labels_are_multi_hot(prepared_root):
    data = build(prepared_root, labels=['cancer', HAS_FINDING], task='multilabel')
    assert data[0]['data_samples'].gt_score.tolist() == [1.0, 1.0]
    assert data.get_cat_ids(0) == [0, 1] and data.metainfo['classes'] == ('cancer', HAS_FINDING)
    assert data.metainfo['box_classes'] == ('mass', 'calcification')
    assert build(prepared_root, labels='cancer', task='multilabel')[0]['data_samples'].gt_score.tolist() == [1.0]


def test_absent_labels_are_refused_with_counts(relabelled):
    with pytest.raises(MammoError, match=r"8 of 8 images without a known value \(birads: '1' 3, '5' 3, absent 2\)"):
        build(relabelled, labels='birads')
    with pytest.raises(MammoError, match=r'2 of 8 images without a known value \(birads: absent 2\).*leave_out'):
        build(relabelled, labels='birads', mapping={'1': 0, '5': 1})


def test_absent_labels_may_be_left_out(relabelled):
    data = build(relabelled, labels='birads', mapping={'1': 0, '5': 1}, absent='leave_out')
    assert len(data) == 6 and [r['gt_label'] for r in data.iter_images()].count(1) == 3
    with pytest.raises(MammoError, match='images: found none, or none with what the config asks'):
        build(relabelled, labels='density', absent='leave_out')


def test_multiclass_maps_names_to_numbers():
    rule = LabelRule.of('density', 'multiclass', ('A', 'B', 'C', 'D'))
    assert rule.target(image(density='C')) == {'gt_label': 2}
    assert rule.target(image(density='E')) is None and rule.target(image()) is None


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (dict(keys='cancer', task='regression'), 'task'),
        (dict(keys=['cancer', 'birads']), 'labels'),
        (dict(keys=[], task='multilabel'), 'labels'),
        (dict(keys='density', task='multiclass'), 'classes'),
        (dict(keys='cancer', classes=('cancer',)), '2 names'),
        (dict(keys='birads', mapping={'1': 2}), 'mapping'),
        (dict(keys='birads', mapping={}), 'mapping'),
    ],
)
def test_rules_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(MammoError, match=said):
        LabelRule.of(**arguments)


def test_an_unknown_policy_is_refused(prepared_root):
    with pytest.raises(MammoError, match='absent'):
        build(prepared_root, labels='cancer', absent='drop')
