# The twin of patch_effnetv2s_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels, one or two blocks of each kind at a third of the width.
_base_ = [
    '_base_/models/patch_effnetv2s.py',
    '_base_/datasets/phantom_patches.py',
    '_base_/schedules/patch_plateau_small.py',
    '_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(_delete_=True, type='mmmammo.CompactEfficientNetV2', arch='tiny'),
    head=dict(in_channels=256),
)
randomness = dict(seed=0)
