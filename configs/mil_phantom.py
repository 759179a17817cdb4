# The exam as a bag of images, on the phantom: the twin of mil_cohort.py that trains on a CPU.
_base_ = [
    './_base_/models/mil_resnet18_small.py',
    './_base_/datasets/phantom_cohort.py',
    './_base_/schedules/cohort_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_cohort/'
max_epochs = 15  # parent: 60
exams = dict(
    type='mmmammo.ExamClassificationDataset',
    labels=['exam_outcome'],
    task='multilabel',
    mapping=dict(none=0, interval=0, screening=1),
)
collate = dict(type='mmmammo.exam_collate')

train_dataloader = dict(batch_size=8, sampler=dict(positive_class=0), collate_fn=collate, dataset=exams)
val_dataloader = dict(batch_size=8, collate_fn=collate, dataset=exams)
test_dataloader = dict(batch_size=8, collate_fn=collate, dataset=exams)
val_evaluator = [dict(type='mmmammo.CohortTableMetric', breast_rule='max')]
test_evaluator = [
    *val_evaluator,
    # scores.csv of tools/test.py, with the share that each image has in its exam's score
    dict(type='mmmammo.ScoreDump', path='scores.csv', split='test', attributes=['view_weight']),
]
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
_base_.param_scheduler[1].update(end=max_epochs, T_max=max_epochs)
param_scheduler = _base_.param_scheduler
auto_scale_lr = dict(base_batch_size=8)  # exams; parent: 16 images
randomness = dict(seed=0)
