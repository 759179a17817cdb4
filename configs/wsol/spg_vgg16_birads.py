# SPG on VGG-16 (paper 0, Table 2).
# The paper's: 48.58 / 29.89 / 20.00 / 9.69 / 3.15 / 0.84 / 0.0 % at IoU 20 to 80, Avg 16.02.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_vgg16.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(out_steps=['features.13', 'features.16']),  # of B1; of B2 and the map
    head=dict(type='mmmammo.SPGHead', in_channels=(512, 512, 512), hidden=(512, 512), guide_channels=(512, 512)),
)

randomness = dict(seed=0)
