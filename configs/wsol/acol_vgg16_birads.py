# ACoL on VGG-16 (paper 0, Table 2).
# The paper's: 30.46 / 20.68 / 13.34 / 10.04 / 6.18 / 2.13 / 0.56 % at IoU 20 to 80, Avg 11.90.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_vgg16.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(type='mmmammo.ACoLHead', hidden=(1024, 1024), dropout=0.0, erase_threshold=0.7),
)

randomness = dict(seed=0)
