# One level, three encoder layers, 300 queries: reductions that Mammo-DETR (NYU) reports to serve mammograms better
# than the full DINO; the level and the number of queries are our choice. Parent: ../ihrrb_dino_r50_4scale_birads.py
_base_ = ['../ihrrb_dino_r50_4scale_birads.py']

model = dict(
    num_queries=300,  # parent: 900
    num_feature_levels=1,  # parent: 4
    backbone=dict(out_indices=(2,)),  # stride 16; parent: (1, 2, 3)
    neck=dict(in_channels=[1024], num_outs=1),
    encoder=dict(num_layers=3, layer_cfg=dict(self_attn_cfg=dict(num_levels=1))),  # parent: 6 layers
    decoder=dict(layer_cfg=dict(cross_attn_cfg=dict(num_levels=1))),
)
