# The twin of patch_resnet50_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; ResNet-18 of a quarter of its width.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16),
    head=dict(in_channels=128),
)
randomness = dict(seed=0)
