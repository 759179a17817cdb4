# SPG on the phantom: the twin of spg_resnet50_birads.py that trains from scratch on a CPU.
# Differs from it: ResNet-18 of a quarter of its width with 28 x 28 cells; 64 channels a branch.
_base_ = [
    '../_base_/models/wsol_resnet18_small.py',
    '../_base_/datasets/phantom_views.py',
    '../_base_/schedules/wsol_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
model = dict(
    backbone=dict(out_steps=['layer3.0', 'layer3.1', 'layer4.1']),  # of B1, of B2, of the map
    head=dict(type='mmmammo.SPGHead', in_channels=(64, 64, 128), guide_channels=(64, 64), stride=8),
)
randomness = dict(seed=0)
