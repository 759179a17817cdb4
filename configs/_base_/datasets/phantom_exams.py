# The phantom, exam by exam, at a size that trains on a CPU.
dataset_type = 'mmmammo.ExamDataset'
data_root = 'data/phantom/'
image_scale = (320, 256)  # longest and shortest side at most; aspect kept, padded to multiples of 32
num_nodes = (22, 26)  # pseudo-landmarks of a CC and an MLO view
num_workers = 1

# What the tools make when it is missing. Masses only, as in the CBIS-DDSM experiment of paper 3, with all decoys.
inputs = [
    dict(
        makes='data/phantom/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom --num-exams 240 --phantom-height 512 '
        '--finding-mix mass=1 --single-class mass',
    )
]

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True, poly2mask=False),
    dict(type='Resize', scale=image_scale, keep_ratio=True, interpolation='area'),  # mmdet: bilinear, which aliases
    dict(type='mmmammo.ElasticDeform', prob=0.3, spacing=64, magnitude=5),
    dict(
        type='mmmammo.MammoAlbu',
        transforms=[
            dict(
                type='Affine',
                scale=(0.9, 1.1),
                translate_percent=(-0.03, 0.03),
                rotate=(-8, 8),
                rotate_method='ellipse',  # lesions are rounder than their boxes
                keep_ratio=True,
                p=0.5,
            ),
            dict(type='RandomGamma', gamma_limit=(80, 125), p=0.3),
            dict(type='RandomBrightnessContrast', brightness_limit=0.05, contrast_limit=0.15, p=0.3),
            dict(type='GaussianBlur', blur_limit=(3, 5), p=0.15),
            dict(type='GaussNoise', std_range=(0.002, 0.015), p=0.2),
        ],
    ),
    dict(type='mmmammo.PackMammogram', num_nodes=num_nodes),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=image_scale, keep_ratio=True, interpolation='area'),
    dict(type='LoadAnnotations', with_bbox=True),  # after Resize: ground truth stays in prepared pixels
    dict(type='mmmammo.PackMammogram', num_nodes=num_nodes),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=num_workers,
    persistent_workers=True,  # else every epoch repeats the augmentations of the first
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        disjoint_from=['annotations/test.json'],
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = [dict(type='mmmammo.FROCMetric'), dict(type='mmmammo.APMetric')]
test_evaluator = [dict(type='mmmammo.FROCMetric', bootstrap=1000), dict(type='mmmammo.APMetric')]
