# ADL on InceptionV3 (paper 0, Table 2).
# The paper's: 33.64 / 16.82 / 9.00 / 3.31 / 1.18 / 2.23 / 2.23 % at IoU 20 to 80, Avg 9.77.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_inceptionv3.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(attention_dropout=dict(after=['Mixed_5d', 'Mixed_6e'], drop_rate=0.75, threshold=0.9)),
    head=dict(dropout=0.0, attention_dropout=dict(drop_rate=0.75, threshold=0.9)),  # after its convolutions
)

randomness = dict(seed=0)
