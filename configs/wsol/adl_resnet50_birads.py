# ADL on ResNet-50 (paper 0, Table 2).
# The paper's: 68.72 / 55.45 / 44.31 / 33.64 / 24.64 / 14.45 / 5.68 % at IoU 20 to 80, Avg 35.27.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_resnet50.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(attention_dropout=dict(after=['layer3.0', 'layer4.0', 'layer4.2'], drop_rate=0.75, threshold=0.9))
)

randomness = dict(seed=0)
