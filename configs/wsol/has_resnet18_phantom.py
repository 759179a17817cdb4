# Hide-and-Seek on the phantom: the twin of has_resnet50_birads.py that trains from scratch on a CPU.
# Differs from it: ResNet-18 of a quarter of its width with 28 x 28 cells; cells of 16 pixels.
_base_ = [
    '../_base_/models/wsol_resnet18_small.py',
    '../_base_/datasets/phantom_views.py',
    '../_base_/schedules/wsol_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
_base_.train_pipeline.insert(-1, dict(type='mmmammo.HideAndSeek', cell=16, prob=0.5, fill=_base_.mean))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
randomness = dict(seed=0)
