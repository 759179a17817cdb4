# AG-DINO that trains from scratch on the phantom on a CPU: ResNet-18 of half its width, 64 channels, two layers each
# way, 50 queries.
# Parent: ./agdino_r50.py
_base_ = ['./agdino_r50.py']

channels = 64  # parent: 256
norm_cfg = dict(type='GN', num_groups=16, requires_grad=True)  # parent: frozen BN; independent of the batch of 4 views
ffn_cfg = dict(embed_dims=channels, feedforward_channels=256)  # parent: 2048

_base_.model.neck[0].update(in_channels=[64, 128, 256], out_channels=channels, norm_cfg=norm_cfg)
_base_.model.neck[1].in_channels = channels

model = dict(
    num_queries=50,  # parent: 900
    backbone=dict(
        depth=18,
        stem_channels=32,  # parent: 64
        base_channels=32,
        frozen_stages=-1,
        norm_cfg=norm_cfg,
        norm_eval=False,
        init_cfg=None,
    ),
    neck=_base_.model.neck,
    encoder=dict(
        num_layers=2,  # parent: 6
        layer_cfg=dict(self_attn_cfg=dict(embed_dims=channels), ffn_cfg=ffn_cfg),
    ),
    decoder=dict(
        num_layers=2,  # parent: 6
        layer_cfg=dict(
            self_attn_cfg=dict(embed_dims=channels), cross_attn_cfg=dict(embed_dims=channels), ffn_cfg=ffn_cfg
        ),
    ),
    positional_encoding=dict(num_feats=channels // 2),
    bbox_head=dict(embed_dims=channels),
    dn_cfg=dict(group_cfg=dict(num_dn_queries=20)),  # parent: 100
    test_cfg=dict(max_per_img=50),  # parent: 300
)
