# The five-scale row of paper 0: strides 4 to 64. Parent: ./mammo_dino_r50.py
_base_ = ['./mammo_dino_r50.py']

num_levels = 5  # parent: 4

model = dict(
    num_feature_levels=num_levels,
    backbone=dict(out_indices=(0, 1, 2, 3)),  # parent: (1, 2, 3)
    neck=dict(in_channels=[256, 512, 1024, 2048], num_outs=num_levels),
    encoder=dict(layer_cfg=dict(self_attn_cfg=dict(num_levels=num_levels))),
    decoder=dict(layer_cfg=dict(cross_attn_cfg=dict(num_levels=num_levels))),
)
