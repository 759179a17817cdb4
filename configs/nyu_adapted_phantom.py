# The twin of nyu_adapted_cohort.py on the phantom: the columns of nyu_pretrained_phantom.py, frozen, a new head.
#   python tools/train.py configs/nyu_pretrained_phantom.py
#   python tools/train.py configs/nyu_adapted_phantom.py
_base_ = ['./nyu_pretrained_phantom.py']

max_epochs = 10  # parent: 15
exam = dict(
    labels='exam_outcome',
    mapping=dict(none=0, interval=0, screening=1),  # the cancers that paper 4 trains on
    classes=('no screening cancer', 'screening cancer'),
)

model = dict(
    head=dict(_delete_=True, type='mmmammo.ExamHead', in_channels=128, hidden_channels=64),
    frozen=True,
    columns_from='work_dirs/nyu_pretrained_phantom/epoch_15.pth',
)
train_dataloader = dict(
    sampler=dict(_delete_=True, type='mmmammo.MatchedNegativesSampler', negatives=1.0),
    dataset=dict(breasts=None, exam=exam),
)
val_dataloader = dict(dataset=dict(breasts=None, exam=exam))
test_dataloader = dict(dataset=dict(breasts=None, exam=exam))
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
_base_.param_scheduler[1].update(end=max_epochs, T_max=max_epochs)
param_scheduler = _base_.param_scheduler
crossval = dict(
    needs=dict(pretrained='configs/nyu_pretrained_phantom.py'),
    options={'model.columns_from': '{pretrained.checkpoint}'},
)
