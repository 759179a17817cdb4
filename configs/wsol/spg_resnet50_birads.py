# SPG on ResNet-50 (paper 0, Table 2).
# The paper's: 28.87 / 21.72 / 14.25 / 9.45 / 5.40 / 1.23 / 0.0 % at IoU 20 to 80, Avg 11.56.
# What differs from the paper and from the WSOL benchmark: README.md.
_base_ = [
    '../_base_/models/wsol_resnet50.py',
    '../_base_/datasets/birads_views.py',
    '../_base_/schedules/wsol_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(out_steps=['layer3.0', 'layer3.5', 'layer4.2']),  # of B1, of B2, of the map
    head=dict(type='mmmammo.SPGHead', in_channels=(1024, 1024, 2048), guide_channels=(1024, 512)),
)

randomness = dict(seed=0)
