# VinDr-Mammo at its own resolution as patches of 256 x 256, ten findings.
# Prepare: python tools/prepare_dataset.py vindr --raw DIR --out data/vindr_full
# Decoded views are kept in data/vindr_full/decoded_views: about 9 MB each, 180 GB for all.
data_root = 'data/vindr_full/'
window = 256
context = 0  # pixels around a patch that its features may see; 224 for the context mode of ResNet-50
num_workers = 4
findings = (  # in the order of their frequency in the table of findings
    'mass',
    'calcification',
    'focal_asymmetry',
    'distortion',
    'asymmetry',
    'lymph_node',
    'skin_thickening',
    'nipple_retraction',
    'global_asymmetry',
    'skin_retraction',
)
fusion = dict(clip_limits=(2.0, 2.0), tile_grids=(8, 32), scale='breast')  # the paper gives none of them
sampling = dict(area=(0.05, 5.0), aspect=(0.33, 1.66), jitter=50)

train_pipeline = [
    dict(type='mmmammo.OpenView', **fusion),
    dict(type='mmmammo.SamplePatch', **sampling),
    dict(type='mmmammo.CutPatch', size=window, context=context, rotation=15),
    dict(type='mmcv.RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmcv.RandomFlip', prob=0.5, direction='vertical'),
    dict(type='mmmammo.PatchJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.OpenView', **fusion),
    dict(type='mmmammo.SamplePatch', **sampling, fixed=True),
    dict(type='mmmammo.CutPatch', size=window, context=context),
    dict(type='mmmammo.PackView'),
]
dataset_type = 'mmmammo.PatchDataset'

train_dataloader = dict(
    batch_size=32,
    num_workers=num_workers,
    persistent_workers=True,  # else every epoch repeats the augmentations of the first
    drop_last=True,  # BatchNorm has nothing to learn from a batch of one
    sampler=dict(type='mmmammo.ClassWeightedSampler'),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        classes=findings,
        proposals=10,
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
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        disjoint_from=['annotations/test.json'],
        classes=findings,
        proposals=1,
        sizes_from='annotations/train.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
# One patch per box and one per normal view, as in the paper's second table.
test_dataloader = dict(
    batch_size=32,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        classes=findings,
        proposals=1,
        normals=1,
        sizes_from='annotations/train.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = [dict(type='mmmammo.FocalLossMetric', gamma=2.0)]
# Ratios without denominator are 0, as in the paper's tables: its zero rows count.
test_evaluator = [
    dict(type='mmmammo.MultiLabelMetric', undefined_as=0),
    dict(type='mmmammo.MultiLabelMetric', undefined_as=0, no_finding='No Finding', prefix='with_no_finding'),
    dict(type='mmmammo.FindingGroupMetric', undefined_as=0),  # the rows of the first
]
