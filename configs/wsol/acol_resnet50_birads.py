# ACoL on ResNet-50 (paper 0, Table 2).
# The paper's: 31.56 / 25.11 / 19.43 / 12.55 / 8.53 / 4.02 / 0.94 % at IoU 20 to 80, Avg 14.59.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_resnet50.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(type='mmmammo.ACoLHead', hidden=(1024, 1024), dropout=0.0, erase_threshold=0.7),
)

randomness = dict(seed=0)
