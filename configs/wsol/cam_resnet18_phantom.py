# CAM on the phantom: the twin of cam_resnet50_birads.py that trains from scratch on a CPU.
# Differs from it: ResNet-18 of a quarter of its width with 28 x 28 cells.
_base_ = [
    '../_base_/models/wsol_resnet18_small.py',
    '../_base_/datasets/phantom_views.py',
    '../_base_/schedules/wsol_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
randomness = dict(seed=0)
