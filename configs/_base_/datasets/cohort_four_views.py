# A screening programme exam by exam, four views cut as NYU's model wants them.
# Prepare: python tools/prepare_dataset.py cohort --raw DIR --out data/cohort --no-crop --workers 8
# The windows are for pixels of 0.07 mm: scale windows, iterations, buffer and noise for others.
data_root = 'data/cohort/'
windows = dict(CC=(2677, 1942), MLO=(2974, 1748))  # (h, w)
iterations = 100  # of the erosion that finds the breast
buffer = 50  # pixels round it
noise = 100  # pixels that a window is moved and resized by, at most
crops = 10  # that a test averages
breast = 'segmented'  # the prepared background need not be black; 'above_zero', as NYU's code has it, needs that
num_workers = 4
dataset_type = 'mmmammo.FourViewDataset'
outcomes = dict(none=0, interval=1, screening=1)

# A breast is malignant if it has a cancer; benign findings are not known. A test also takes exams whose cancer has no
# known side: both breasts then have the exam's outcome, and exams are what is judged.
train_breasts = dict(malignant='cancer')
test_breasts = dict(malignant=['cancer', dict(labels='exam_outcome', mapping=outcomes)])

window = dict(type='mmmammo.NYUWindow', sizes=windows, iterations=iterations, buffer=buffer, breast=breast)
train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(**window, position_noise=noise, size_noise=noise),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(**window, position_noise=noise, size_noise=noise, crops=crops, seed=0),
    dict(type='mmmammo.PackView'),
]

train_dataloader = dict(
    batch_size=4,  # exams
    num_workers=num_workers,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='mmmammo.MatchedNegativesSampler', negatives=1.0),  # as paper 4's own models
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        disjoint_from=['annotations/val.json', 'annotations/test.json'],
        breasts=train_breasts,
        four_only=True,  # paper 4 leaves out all other exams
        exam_pipeline=[dict(type='mmmammo.ExamFlip', prob=0.5)],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=2,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        disjoint_from=['annotations/test.json'],
        breasts=test_breasts,
        four_only=True,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=2,
    num_workers=num_workers,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='mmmammo.exam_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test.json',
        breasts=test_breasts,
        four_only=True,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
# All images of a breast have its score, so that their maximum is it; the exam has that of its worse breast.
val_evaluator = [dict(type='mmmammo.CohortTableMetric', breast_rule='max')]
test_evaluator = [
    dict(type='mmmammo.CohortTableMetric', breast_rule='max'),
    dict(type='mmmammo.ExamAUCMetric', breast_rule='max'),
]
crossval = dict(folds=10, stratify='exam_outcome', unit='exam')  # as cohort_views.py has it
