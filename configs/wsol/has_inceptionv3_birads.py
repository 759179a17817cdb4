# Hide-and-Seek on InceptionV3 (paper 0, Table 2).
# The paper's: 2.13 / 0.94 / 0.47 / 0.23 / 0.23 / 0.23 / 0.0 % at IoU 20 to 80, Avg 0.61.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_inceptionv3.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

# cells of 4 x 4 pixels, each hidden with probability 1/2; the method's own paper has cells of 16 to 56 pixels
_base_.train_pipeline.insert(-1, dict(type='mmmammo.HideAndSeek', cell=4, prob=0.5, fill=_base_.mean))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

randomness = dict(seed=0)
