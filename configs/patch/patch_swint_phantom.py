# The twin of patch_swint_vindr.py that trains from scratch on a CPU.
# Differs from it: the phantom, windows of 64 pixels; a quarter of the width, one or two blocks a stage.
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/phantom_patches.py',
    '../_base_/schedules/patch_plateau_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_patches'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.SwinTransformer',
        arch=dict(embed_dims=24, depths=[1, 1, 2, 1], num_heads=[1, 2, 4, 8]),
        drop_path_rate=0.0,
        pad_small_map=True,  # the last two stages of a window are smaller than its attention windows
    ),
    head=dict(in_channels=192),
)
randomness = dict(seed=0)
