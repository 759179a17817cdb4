# CAM on InceptionV3 (paper 0, Table 2).
# The paper's: 48.10 / 31.75 / 19.66 / 9.95 / 5.21 / 2.13 / 0.23 % at IoU 20 to 80, Avg 16.72.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_inceptionv3.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=0)
