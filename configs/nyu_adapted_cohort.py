# "Adapted" of paper 4: NYU's columns as they were released, a new head trained to cancer in the exam; of images alone,
# without the heatmaps that the paper's has (nyu/nyu_adapted_heatmaps_cohort.py). The paper says no more than that the
# head was replaced. Here: columns frozen; their four features side by side, a layer of 512, two outputs,
# cross-entropy; ten folds as the other models.
_base_ = ['./nyu_pretrained_cohort.py']

exam = dict(
    labels='exam_outcome',
    mapping=dict(none=0, interval=0, screening=1),  # the cancers that paper 4 trains on
    classes=('no screening cancer', 'screening cancer'),
)

model = dict(
    head=dict(_delete_=True, type='mmmammo.ExamHead', in_channels=256, hidden_channels=512),
    frozen=True,
    columns_from='work_dirs/nyu/nyu_image.pth',
)
load_from = None
train_dataloader = dict(dataset=dict(breasts=None, exam=exam))
val_dataloader = dict(dataset=dict(breasts=None, exam=exam))
test_dataloader = dict(dataset=dict(breasts=None, exam=exam))
