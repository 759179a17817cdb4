# Past paper 4: the exam as a bag of images. The Holistic encoder and input, one label per exam, gated attention over
# all images of an exam, any number of any projection; see nyu/README.md.
_base_ = [
    './_base_/models/mil_resnet101.py',
    './_base_/datasets/cohort_views.py',
    './_base_/schedules/cohort_30e.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cohort/'
exams = dict(
    type='mmmammo.ExamClassificationDataset',
    labels=['exam_outcome'],
    task='multilabel',  # one sigmoid
    mapping=dict(none=0, interval=0, screening=1),  # the cancers that paper 4 trains on
)
collate = dict(type='mmmammo.exam_collate')

train_dataloader = dict(
    batch_size=4,  # exams
    sampler=dict(positive_class=0),  # the only one
    collate_fn=collate,
    dataset=exams,
)
val_dataloader = dict(batch_size=2, collate_fn=collate, dataset=exams)
test_dataloader = dict(batch_size=2, collate_fn=collate, dataset=exams)
# All images of an exam have its score.
val_evaluator = [dict(type='mmmammo.CohortTableMetric', breast_rule='max')]
test_evaluator = [
    *val_evaluator,
    # scores.csv of tools/test.py, with the share that each image has in its exam's score
    dict(type='mmmammo.ScoreDump', path='scores.csv', split='test', attributes=['view_weight']),
]
randomness = dict(seed=0)
# Folds validate on what they are tested on: no plateau there.
crossval = dict(options=dict(param_scheduler=[dict(type='MultiStepLR', by_epoch=True, milestones=[20, 27], gamma=0.1)]))
