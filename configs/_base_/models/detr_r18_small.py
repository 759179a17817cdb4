# A DETR that trains from scratch on the phantom on a CPU: ResNet-18 of half its width, 64 channels, two layers each.
# Parent: ./detr_r50_gray.py
_base_ = ['./detr_r50_gray.py']

embed_dims = 64  # parent: 256
attention = dict(embed_dims=embed_dims, num_heads=4)  # parent: 8
feed_forward = dict(embed_dims=embed_dims, feedforward_channels=256)  # parent: 2048

model = dict(
    backbone=dict(
        depth=18,
        stem_channels=32,  # parent: 64
        base_channels=32,
        out_indices=(2,),  # parent: 3; a lesion is smaller than the 32 pixels of one step there
        norm_cfg=dict(type='GN', num_groups=16, requires_grad=True),  # parent: frozen BN
        norm_eval=False,
        init_cfg=None,  # no pretrained weights
    ),
    neck=dict(in_channels=[128], out_channels=embed_dims),
    encoder=dict(num_layers=2, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=feed_forward)),
    decoder=dict(num_layers=2, layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=feed_forward)),
    positional_encoding=dict(num_feats=embed_dims // 2),
    bbox_head=dict(embed_dims=embed_dims),
)
