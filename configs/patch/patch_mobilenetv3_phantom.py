# The twin of patch_mobilenetv3_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; MobileNetV3-S of half the width.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.MobileNetV3', arch='small_050'),
    head=dict(in_channels=288),
)
randomness = dict(seed=0)
