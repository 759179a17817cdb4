# A DINO that trains from scratch on the phantom on a CPU: half a ResNet-18, 64 channels, two layers each way.
# Parent: ./mammo_dino_r50.py
_base_ = ['./mammo_dino_r50.py']

channels = 64  # parent: 256
num_queries = 50  # parent: 900; a view of the phantom has two lesions at most
norm_cfg = dict(type='GN', num_groups=16, requires_grad=True)  # parent: frozen BN
attention = dict(embed_dims=channels, num_heads=4, num_points=4)  # parent: 8 heads
ffn_cfg = dict(embed_dims=channels, feedforward_channels=4 * channels)  # parent: 8 times

model = dict(
    num_queries=num_queries,
    backbone=dict(
        depth=18,
        stem_channels=32,  # parent: 64
        base_channels=32,
        frozen_stages=-1,  # parent: 1
        norm_cfg=norm_cfg,
        norm_eval=False,
        init_cfg=None,  # no pretrained weights
    ),
    neck=dict(in_channels=[64, 128, 256], out_channels=channels, norm_cfg=dict(num_groups=16)),
    encoder=dict(num_layers=2, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=ffn_cfg)),
    decoder=dict(
        num_layers=2,
        layer_cfg=dict(self_attn_cfg=dict(embed_dims=channels, num_heads=4), cross_attn_cfg=attention, ffn_cfg=ffn_cfg),
    ),
    positional_encoding=dict(num_feats=channels // 2),
    bbox_head=dict(embed_dims=channels),
    dn_cfg=dict(group_cfg=dict(num_dn_queries=20)),  # parent: 100
    test_cfg=dict(max_per_img=num_queries),  # parent: 300
)
