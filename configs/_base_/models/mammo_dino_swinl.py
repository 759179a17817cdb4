# The Swin-L row of paper 0, four scales. Parent: ./mammo_dino_r50.py
# The backbone is that of mmdet::dino/dino-5scale_swin-l_8xb2-36e_coco.py.
_base_ = ['./mammo_dino_r50.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmmammo.GraySwin',
        pretrain_img_size=384,
        embed_dims=192,
        depths=(2, 2, 18, 2),
        num_heads=(6, 12, 24, 48),
        window_size=12,
        mlp_ratio=4,
        qkv_bias=True,
        qk_scale=None,
        drop_rate=0.0,
        attn_drop_rate=0.0,
        drop_path_rate=0.2,
        patch_norm=True,
        out_indices=(1, 2, 3),  # mmdet's five scales: (0, 1, 2, 3)
        with_cp=True,
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://github.com/SwinTransformer/storage/releases/download/v1.0.0/'
            'swin_large_patch4_window12_384_22k.pth',
        ),
    ),
    neck=dict(in_channels=[384, 768, 1536]),
)
