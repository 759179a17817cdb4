# The twin of patch_vgg19_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; VGG-11, with BatchNorm because it starts from scratch.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.VGG', depth=11, norm_cfg=dict(type='BN')),
    head=dict(in_channels=512),
)
randomness = dict(seed=0)
