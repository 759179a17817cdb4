"""Exams as samples, and what a loader makes of them."""

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, FUNCTIONS
from mmengine.runner import Runner

from mmmammo.datasets import ExamDataset, exam_collate
from mmmammo.structures import MammoError, pair_views
from mmmammo.testing.prepared_set import make_prepared_set

pytestmark = pytest.mark.usefixtures('scope')

PIPELINE = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True, poly2mask=False),
    dict(type='Resize', scale=(64, 52), keep_ratio=True),
    dict(type='mmmammo.ElasticDeform', prob=0.5, spacing=24, magnitude=2),
    dict(
        type='mmmammo.MammoAlbu',
        transforms=[dict(type='Affine', rotate=(-10, 10), p=0.5), dict(type='GaussNoise', p=0.5)],
    ),
    dict(type='mmmammo.PackMammogram'),
]


def loader_config(root, workers=0, batch_size=1, **dataset):
    return dict(
        batch_size=batch_size,
        num_workers=workers,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='mmmammo.exam_collate'),
        dataset=dict(
            type='mmmammo.ExamDataset',
            data_root=str(root),
            ann_file='annotations/train.json',
            pipeline=PIPELINE,
            **dataset,
        ),
    )


def build(root, split='train', **kwargs):
    return ExamDataset(f'annotations/{split}.json', data_root=str(root), **kwargs)


def test_sample_is_one_exam(prepared_root):
    dataset = build(prepared_root, pipeline=PIPELINE)
    assert len(dataset) == 4
    sample = dataset[1]
    assert [(d.exam_id, d.laterality, d.view) for d in sample['data_samples']] == [
        ('train_001', 'L', 'CC'),
        ('train_001', 'L', 'MLO'),
        ('train_001', 'R', 'CC'),
        ('train_001', 'R', 'MLO'),
    ]
    assert [tuple(image.shape) for image in sample['inputs']] == [(1, 64, 52)] * 4


def test_partners_are_found_in_a_collated_batch(prepared_root):
    dataset = build(prepared_root, pipeline=PIPELINE)
    batch = exam_collate([dataset[0], dataset[2]])
    assert len(batch['inputs']) == len(batch['data_samples']) == 8
    keys = [[getattr(d, key) for d in batch['data_samples']] for key in ('exam_id', 'laterality', 'view')]
    ipsilateral, contralateral = pair_views(*keys)
    assert ipsilateral.tolist() == [1, 0, 3, 2, 5, 4, 7, 6]
    assert contralateral.tolist() == [2, 3, 0, 1, 6, 7, 4, 5]


def test_collate_is_found_by_name():
    assert FUNCTIONS.get('mmmammo.exam_collate') is exam_collate


def test_dataset_is_found_by_name(prepared_root):
    dataset = DATASETS.build(
        dict(type='mmmammo.ExamDataset', ann_file='annotations/val.json', data_root=str(prepared_root))
    )
    assert isinstance(dataset, ExamDataset) and len(dataset) == 2


def test_runner_builds_a_loader_from_names_alone(prepared_root):
    loader = Runner.build_dataloader(loader_config(prepared_root, batch_size=2), seed=0)
    batches = list(loader)
    assert [len(batch['inputs']) for batch in batches] == [8, 8]


def test_two_workers_repeat_themselves_under_a_seed(prepared_root):
    runs = []
    for seed in (0, 0, 1):
        loader = Runner.build_dataloader(loader_config(prepared_root, workers=2), seed=seed)
        runs.append(
            [(d.img_id, x.sum().item()) for b in loader for d, x in zip(b['data_samples'], b['inputs'], strict=True)]
        )
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_order_of_an_epoch_survives_a_resume(prepared_root):
    started, resumed = (Runner.build_dataloader(loader_config(prepared_root), seed=5).sampler for _ in range(2))
    orders = []
    for epoch in range(6):
        started.set_epoch(epoch)
        orders.append(list(started))
    resumed.set_epoch(3)
    assert list(resumed) == orders[3]
    assert len(set(map(tuple, orders))) > 1


def test_exam_pipeline_runs_before_pixels(prepared_root):
    flip = [dict(type='mmmammo.ExamFlip', prob=1, mirror_pixels=True)]
    load = [PIPELINE[0], PIPELINE[1], PIPELINE[-1]]
    plain = build(prepared_root, pipeline=load)[0]
    flipped = build(prepared_root, pipeline=load, exam_pipeline=flip)[0]
    assert [d.laterality for d in flipped['data_samples']] == ['R', 'R', 'L', 'L']
    for before, after in zip(plain['inputs'], flipped['inputs'], strict=True):
        assert torch.equal(after, before.flip(-1))
    nodes = [sample['data_samples'][1].nodes for sample in (plain, flipped)]
    np.testing.assert_allclose(nodes[1], np.stack([104 - nodes[0][:, 0], nodes[0][:, 1]], axis=-1), atol=1e-3)
    box = plain['data_samples'][0].gt_instances.bboxes.numpy()[0]
    mirrored = flipped['data_samples'][0].gt_instances.bboxes.numpy()[0]
    np.testing.assert_allclose(mirrored, [104 - box[2], box[1], 104 - box[0], box[3]], atol=1e-3)


def test_view_dropout_shortens_an_exam(prepared_root):
    dropout = [dict(type='mmmammo.ExamViewDropout', prob=1)]
    assert len(build(prepared_root, pipeline=PIPELINE, exam_pipeline=dropout)[0]['inputs']) == 1


@pytest.mark.parametrize(
    'views',
    [
        [('L', 'CC')],
        [('L', 'CC'), ('L', 'CC'), ('L', 'MLO')],
        [('L', 'CC'), ('R', 'MLO'), ('R', 'XCCL'), ('U', 'UNKNOWN')],
    ],
    ids=['single', 'repeat', 'extra'],
)
def test_exams_of_any_make_up(tmp_path, views):
    dataset = build(make_prepared_set(tmp_path, {'train': 1}, views=views), pipeline=PIPELINE)
    assert [(d.laterality, d.view) for d in dataset[0]['data_samples']] == views


def test_findings_count_per_exam(prepared_root):
    dataset = build(prepared_root)
    assert dataset.has_findings().tolist() == [True, False, True, False]
    assert len(dataset.get_cat_ids(0)) == 2 and dataset.get_cat_ids(1) == []
    assert len(build(prepared_root, filter_cfg=dict(filter_empty_gt=True))) == 2


def test_lesion_keeps_its_id_across_views(prepared_root):
    images = build(prepared_root).get_data_info(0)['images']
    assert {i['lesion_id'] for image in images for i in image['instances']} == {'train_000_L'}


def test_repr_counts_exams_and_images(prepared_root):
    text = repr(build(prepared_root))
    assert text.startswith('ExamDataset(') and '4 samples' in text and 'MLO: 8 images' in text


def test_missing_set_ends_in_the_prepare_command(tmp_path):
    with pytest.raises(MammoError, match=r'tools/prepare_dataset\.py'):
        build(tmp_path)
