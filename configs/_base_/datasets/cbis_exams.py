# CBIS-DDSM exam by exam, as paper 3 uses it: four views in, every view examined.
# Prepare: python tools/prepare_dataset.py cbis_ddsm --raw DIR --out data/cbis_ddsm --height 1536 --single-class mass
# (shrinking 16-bit files of full size to 1024 pixels anew every epoch would take longer than training on them)
# Differs from the paper: a batch is one exam (up to 4 images; paper: 2 images), because a view needs its partners;
# augmentation strengths are ours, the paper only names the kinds; no flip (ExamFlip says why it would change nothing).
dataset_type = 'mmmammo.ExamDataset'
data_root = 'data/cbis_ddsm/'
image_scale = (1024, 1024)  # longest side 1024, aspect kept; the data preprocessor pads to multiples of 32
num_nodes = (22, 26)  # pseudo-landmarks of a CC and an MLO view
num_workers = 4

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True, poly2mask=False),
    dict(type='mmmammo.SmoothResize', scale=image_scale, keep_ratio=True),  # mmdet: bilinear, which aliases
    dict(type='mmmammo.ElasticDeform', prob=0.3, spacing=128, magnitude=10),
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
    dict(type='mmmammo.SmoothResize', scale=image_scale, keep_ratio=True),
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
test_evaluator = val_evaluator
