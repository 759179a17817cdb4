# ACoL on InceptionV3 (paper 0, Table 2).
# The paper's: 4.97 / 3.08 / 1.89 / 1.18 / 0.71 / 0.23 / 0.23 % at IoU 20 to 80, Avg 1.75.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_inceptionv3.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(type='mmmammo.ACoLHead', hidden=(1024, 1024), dropout=0.0, erase_threshold=0.7),
)

randomness = dict(seed=0)
