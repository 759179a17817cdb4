# A prepared set view by view, with one label per image: is there a mass? Boxes are read for scoring only.
# The paper's BI-RADS set is private; any source with boxes and with images without one takes its place, and this is the
# one line to change:
data_root = 'data/birads/'  # 'data/vindr/', 'data/inbreast/', 'data/cohort/', …
# Prepare: python tools/prepare_dataset.py SOURCE --raw DIR --out data/birads --height 2048 --only mass
# SOURCE is vindr, inbreast, ddsm, mias, cbis_ddsm with --abnormality both (data/README.md), or cohort or folder with an
# annotations.csv.
# Other questions: labels='cancer', which rsna and cmmd, sources without boxes, answer too, or labels='birads' with
# mapping={'1': 0, '2': 0, '3': 0, '4': 1, '5': 1}
labels = 'has_finding'
classes = ('no mass', 'mass')
# The WSOL benchmark's sizes; the aspect of the image is given up, as there.
resize_scale = (256, 256)
input_size = (224, 224)
num_workers = 4
dataset_type = 'mmmammo.ViewClassificationDataset'

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=resize_scale, keep_ratio=False, interpolation='area'),  # benchmark: bilinear, aliases
    dict(type='RandomCrop', crop_size=input_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='Resize', scale=input_size, keep_ratio=False, interpolation='area'),
    dict(type='mmmammo.PackView'),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=num_workers,
    persistent_workers=True,  # else every epoch repeats the augmentations of the first
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        labels=labels,
        classes=classes,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        disjoint_from=['annotations/test.json'],
        labels=labels,
        classes=classes,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        labels=labels,
        classes=classes,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
# The row of the paper's Table 2 is localisation accuracy. AP scores the boxes as the detectors' are scored.
val_evaluator = [dict(type='mmmammo.LocalisationMetric'), dict(type='mmmammo.ExamAUCMetric')]
test_evaluator = [
    dict(type='mmmammo.LocalisationMetric', bootstrap=1000),
    dict(type='mmmammo.ExamAUCMetric'),
    dict(type='mmmammo.APMetric'),
    dict(type='mmmammo.FROCMetric'),
]
