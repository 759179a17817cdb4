# SPG on InceptionV3 (paper 0, Table 2).
# The paper's: 30.42 / 20.13 / 9.67 / 5.87 / 2.14 / 0.54 / 0.0 % at IoU 20 to 80, Avg 9.82.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_inceptionv3.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(out_steps=['pool3', 'Mixed_6d', 'Mixed_6e']),  # of B1; of B2; of the map
    head=dict(type='mmmammo.SPGHead', in_channels=(288, 768, 768), guide_channels=(512, 512)),
)

randomness = dict(seed=0)
