# The same images for the Attention model: windows in training; whole images and their overviews in tests.
# Parent: ./cohort_views.py
_base_ = ['./cohort_views.py']

width = 976  # of the overview, as the Holistic model has it
crop = 976
roi = 976  # at the image's own resolution

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.CropAtAttention', size=roi, jitter=64),
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
