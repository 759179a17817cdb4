# IHRRB-DINO of paper 0: DINO, R50, four scales, for one-channel mammograms.
# Parent: mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py; a comment beside each number that departs from it.
num_classes = 1  # parent: 80
num_levels = 4  # strides 8 to 64

model = dict(
    type='mmmammo.MammoDINO',
    num_queries=900,
    with_box_refine=True,
    as_two_stage=True,
    num_feature_levels=num_levels,
    data_preprocessor=dict(
        type='mmmammo.ExamDataPreprocessor',
        mean=[0.459],  # luma-weighted ImageNet statistics, of images in [0, 1]
        std=[0.226],
        pad_size_divisor=1,
    ),
    backbone=dict(
        type='mmmammo.GrayResNet',
        depth=50,
        num_stages=4,
        out_indices=(1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(
        type='ChannelMapper',
        in_channels=[512, 1024, 2048],
        kernel_size=1,
        out_channels=256,
        act_cfg=None,
        norm_cfg=dict(type='GN', num_groups=32),
        num_outs=num_levels,
    ),
    encoder=dict(
        num_layers=6,
        num_cp=0,  # layers that compute their activations again instead of keeping them
        layer_cfg=dict(
            self_attn_cfg=dict(embed_dims=256, num_levels=num_levels, dropout=0.0),
            ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, ffn_drop=0.0),
        ),
    ),
    decoder=dict(
        num_layers=6,
        return_intermediate=True,  # look forward twice
        layer_cfg=dict(
            self_attn_cfg=dict(embed_dims=256, num_heads=8, dropout=0.0),
            cross_attn_cfg=dict(embed_dims=256, num_levels=num_levels, dropout=0.0),
            ffn_cfg=dict(embed_dims=256, feedforward_channels=2048, ffn_drop=0.0),
        ),
        post_norm_cfg=None,
    ),
    positional_encoding=dict(num_feats=128, normalize=True, offset=0.0, temperature=20),
    bbox_head=dict(
        type='mmmammo.MammoDINOHead',
        num_classes=num_classes,
        share_layers=True,  # parent: one head per decoder layer; the DINO paper and its code share it
        sync_cls_avg_factor=True,
        loss_cls=dict(type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=5.0),
        loss_iou=dict(type='GIoULoss', loss_weight=2.0),
    ),
    dn_cfg=dict(
        pos_noise_scale=1.0,  # lambda1 of the paper
        neg_noise_scale=2.0,  # lambda2; parent: always 2 lambda1
        label_noise='other',  # parent: 'uniform', which does nothing with one class
        label_noise_scale=0.5,
        group_cfg=dict(dynamic=True, num_dn_queries=100),
    ),
    train_cfg=dict(
        assigner=dict(
            type='HungarianAssigner',
            match_costs=[
                dict(type='FocalLossCost', weight=2.0),
                dict(type='BBoxL1Cost', weight=5.0, box_format='xywh'),
                dict(type='IoUCost', iou_mode='giou', weight=2.0),
            ],
        )
    ),
    test_cfg=dict(max_per_img=300, match_anchors=True),  # parent: no anchors; ATDMetric reads them
)
