# The twin of nyu_pretrained_cohort.py on the phantom: no weights are released for it, so that this is the training that
# NYU did, a quarter as wide: the view-wise model from breasts with and without benign and malignant findings.
_base_ = [
    './_base_/models/nyu_four_view_small.py',
    './_base_/datasets/phantom_four_views.py',
    './_base_/schedules/nyu_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_cohort/'
breasts = 'findings'  # what pathology says of them

train_dataloader = dict(
    batch_size=8,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),  # parent: as many negatives as positives
    dataset=dict(breasts=breasts),
)
val_dataloader = dict(batch_size=8, dataset=dict(breasts=breasts))
test_dataloader = dict(batch_size=8, dataset=dict(breasts=breasts))
randomness = dict(seed=0)
