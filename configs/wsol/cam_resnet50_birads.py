# CAM on ResNet-50 (paper 0, Table 2).
# The paper's: 58.29 / 46.68 / 37.91 / 29.85 / 21.09 / 9.47 / 1.65 % at IoU 20 to 80, Avg 29.28.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_resnet50.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=0)
