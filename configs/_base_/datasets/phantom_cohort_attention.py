# The phantom's programme for the Attention model. Parent: ./phantom_cohort.py; see ./cohort_attention.py
_base_ = ['./phantom_cohort.py']

width = 144
crop = (192, 128)
roi = 96  # at the prepared image's own resolution, about 40 % of its width

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.CropAtAttention', size=roi, jitter=8),
    dict(type='mmmammo.RandomRigidCrop', size=roi, margin=0, degrees=10.0, mirror_prob=0.5),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.AddOverview', width=width, size=crop),
    dict(type='mmmammo.PackAttentionView'),
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
