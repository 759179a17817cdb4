# A prepared set image by image, read as paper 0's detector reads it. The paper's BI-RADS set is private; any source
# with boxes takes its place, and this is the one line to change:
data_root = 'data/birads/'  # 'data/cbis_ddsm/', 'data/vindr/', 'data/cohort/', …
# Prepare: python tools/prepare_dataset.py SOURCE --raw DIR --out data/birads --height 2048 --only mass
# SOURCE is cbis_ddsm, vindr, inbreast, ddsm, mias (data/README.md), or cohort or folder with an annotations.csv; rsna
# and cmmd have no boxes. 2048 lines are enough for the images of the fine-tuning stage.
# Parent: mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py, whose sizes these are.
dataset_type = 'mmmammo.MammogramDataset'
num_workers = 4
short_sides = (480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800)
longest_side = 1333

resize = dict(
    type='RandomChoiceResize',
    scales=[(side, longest_side) for side in short_sides],
    keep_ratio=True,
    resize_type='mmmammo.SmoothResize',  # parent: bilinear, which aliases
)
zoom = [
    dict(
        type='RandomChoiceResize',
        scales=[(side, 4200) for side in (400, 500, 600)],
        keep_ratio=True,
        resize_type='mmmammo.SmoothResize',
    ),
    dict(type='RandomCrop', crop_type='absolute_range', crop_size=(384, 600), allow_negative_crop=True),
    resize,
]
train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomChoice', transforms=[[resize], zoom]),
    dict(type='mmmammo.PackMammogram'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.SmoothResize', scale=(longest_side, 800), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),  # after Resize: ground truth stays in prepared pixels
    dict(type='mmmammo.PackMammogram'),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=num_workers,
    persistent_workers=True,  # else every epoch repeats the augmentations of the first
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler'),
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
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
# The columns of the paper's Table 1, and IoU 0.9, which its "Avg" has but no column
iou_thrs = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# mmmammo.evaluation.functional.SIZE_CLASSES; sides in prepared pixels, of images of 2048 lines about 0.1 mm
size_classes = {
    'microcalcification': (0, 15),
    'small mass': (15, 40),
    'medium mass': (40, 100),
    'large mass': (100, 1e5),
}
val_evaluator = [
    dict(type='mmmammo.APMetric', iou_thrs=iou_thrs, size_classes=size_classes),
    dict(type='mmmammo.FROCMetric'),
    dict(type='mmmammo.ATDMetric', size_classes=size_classes),
]
test_evaluator = val_evaluator
