# ADL on VGG-16 (paper 0, Table 2).
# The paper's: 43.60 / 24.17 / 12.08 / 5.92 / 2.13 / 0.94 / 0.0 % at IoU 20 to 80, Avg 12.70.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_vgg16.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

after = ['features.9', 'features.12', 'features.16']  # pool3, conv4, conv5
model = dict(backbone=dict(attention_dropout=dict(after=after, drop_rate=0.75, threshold=0.9)))

randomness = dict(seed=0)
