# The twin of ihrrb_dino_r50_5scale_birads.py that trains from scratch on a CPU; three times as slow as that of four
# scales.
# Differs from it: half a ResNet-18, 64 channels, two encoder and two decoder layers, 50 queries, images 320 px high.
_base_ = ['./ihrrb_dino_r50_4scale_phantom.py']

num_levels = 5  # parent: 4; strides 4 to 64

model = dict(
    num_feature_levels=num_levels,
    backbone=dict(out_indices=(0, 1, 2, 3)),  # parent: (1, 2, 3)
    neck=dict(in_channels=[32, 64, 128, 256], num_outs=num_levels),
    encoder=dict(layer_cfg=dict(self_attn_cfg=dict(num_levels=num_levels))),
    decoder=dict(layer_cfg=dict(cross_attn_cfg=dict(num_levels=num_levels))),
)
