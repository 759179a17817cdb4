# The twin of patch_mobilenetv2_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; 0.35 of the width.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2', widen_factor=0.35),
    head=dict(in_channels=1280),
)
randomness = dict(seed=0)
