# The findings of CBIS-DDSM as patches, benign or malignant: what a second stage behind a detector learns from.
# Prepare as for ./cbis_exams.py; the patches are cut from its images. 224 pixels hold the box and a half as much again.
data_root = 'data/cbis_ddsm/'
patch_size = 224
num_workers = 4
meta_keys = ('sample_idx', 'img_path', 'exam_id', 'patient_id', 'laterality', 'view', 'lesion_id')

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.CropFinding', size=patch_size, context=1.5, jitter=0.15),  # a detector's boxes vary
    dict(type='RandomFlip', prob=[0.25, 0.25, 0.25], direction=['horizontal', 'vertical', 'diagonal']),
    dict(
        type='mmmammo.MammoAlbu',
        transforms=[
            dict(type='RandomGamma', gamma_limit=(80, 125), p=0.3),
            dict(type='RandomBrightnessContrast', brightness_limit=0.05, contrast_limit=0.15, p=0.3),
        ],
    ),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.CropFinding', size=patch_size, context=1.5),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=num_workers,
    persistent_workers=True,  # else every epoch repeats the augmentations of the first
    drop_last=True,  # BatchNorm has nothing to learn from a batch of one
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='mmmammo.FindingPatchDataset',
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='mmmammo.FindingPatchDataset',
        data_root=data_root,
        ann_file='annotations/val.json',
        disjoint_from=['annotations/test.json'],
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='mmmammo.FindingPatchDataset',
        data_root=data_root,
        ann_file='annotations/test.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = [dict(type='mmmammo.AUCMetric')]
test_evaluator = [dict(type='mmmammo.AUCMetric', bootstrap=1000)]
