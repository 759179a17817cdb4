# Hide-and-Seek on VGG-16 (paper 0, Table 2).
# The paper's: 25.5 / 15.43 / 10.28 / 5.65 / 5.01 / 2.82 / 0.57 % at IoU 20 to 80, Avg 9.32.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_vgg16.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

# cells of 4 x 4 pixels, each hidden with probability 1/2; the method's own paper has cells of 16 to 56 pixels
_base_.train_pipeline.insert(-1, dict(type='mmmammo.HideAndSeek', cell=4, prob=0.5, fill=_base_.mean))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

randomness = dict(seed=0)
