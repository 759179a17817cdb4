# The images of a screening programme with outcomes, one by one (paper 4, 4.1 and 4.2).
# Prepare: python tools/prepare_dataset.py cohort --raw DIR --out data/cohort --no-crop --workers 8
# The paper takes images whole, at the detector's resolution. Prepared images all have the chest wall on the left.
# Grey values are those of the window they were prepared with; LoadMammogram's full_range stretches each image instead.
data_root = 'data/cohort/'
width = 976  # images are resized to
crop = 976  # and cut to this; side of a square, or (height, width)
margin = 64  # of black beyond the crop, in training
num_workers = 4
dataset_type = 'mmmammo.CohortDataset'

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.ResizeToWidth', width=width),
    dict(type='mmmammo.RandomRigidCrop', size=crop, margin=margin, degrees=10.0, mirror_prob=0.5),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.ResizeToWidth', width=width),
    dict(type='mmmammo.CentreCrop', size=crop),
    dict(type='mmmammo.PackView'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=num_workers,
    persistent_workers=True,
    drop_last=True,  # a batch of one has no batch statistics
    sampler=dict(type='mmmammo.MatchedNegativesSampler', negatives=1.0),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
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
    batch_size=8,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = [dict(type='mmmammo.CohortTableMetric')]
test_evaluator = [dict(type='mmmammo.CohortTableMetric')]
# Paper 4: ten folds, shared out so that each has its part of screening and of interval cancers.
crossval = dict(folds=10, stratify='exam_outcome', unit='exam')
