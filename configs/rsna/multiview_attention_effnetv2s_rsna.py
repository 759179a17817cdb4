# All views of an exam at once: one encoder, attention over the views, a score per breast. The same images, schedule and
# number of images per batch as ./multiview_single_effnetv2s_rsna.py
_base_ = [
    '../_base_/models/rsna_multiview_effnetv2s.py',
    '../_base_/datasets/rsna_breasts_1536x960.py',
    '../_base_/schedules/rsna_onecycle_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna/'
randomness = dict(seed=0)

exams = dict(batch_size=4, collate_fn=dict(type='mmmammo.exam_collate'))  # four views or more each; single: 16 images
exam_set = dict(type='mmmammo.ExamClassificationDataset')
train_dataloader = dict(dataset=exam_set, **exams)
val_dataloader = dict(dataset=exam_set, **exams)
test_dataloader = dict(dataset=exam_set, **exams)
auto_scale_lr = dict(base_batch_size=4)  # exams
test_evaluator = [
    dict(type='mmmammo.ProbabilisticF1Metric'),
    # the same: a breast has one score
    dict(type='mmmammo.ProbabilisticF1Metric', levels=('breast',), rule='max', prefix='max'),
]
