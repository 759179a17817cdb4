# CAM on VGG-16 (paper 0, Table 2).
# The paper's: 54.97 / 40.75 / 29.62 / 21.09 / 11.84 / 4.73 / 1.42 % at IoU 20 to 80, Avg 23.49.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_vgg16.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

randomness = dict(seed=0)
