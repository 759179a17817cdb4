# The twin of patch_densenet121_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; four, three and two layers a block that add 12 channels each.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(
        _delete_=True, type='mmpretrain.DenseNet', arch=dict(growth_rate=12, depths=[2, 3, 4, 3], init_channels=24)
    ),
    head=dict(in_channels=75),
)
randomness = dict(seed=0)
