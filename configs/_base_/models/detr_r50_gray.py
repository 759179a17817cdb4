# DETR with 100 queries for one-channel mammograms, a single-view baseline of paper 3's FROC figure and its appendix.
# Parent: mmdet::detr/detr_r50_8xb2-150e_coco.py; a comment beside each number that departs from it.
num_classes = 1  # parent: 80
embed_dims = 256
attention = dict(embed_dims=embed_dims, num_heads=8, dropout=0.1, batch_first=True)
feed_forward = dict(
    embed_dims=embed_dims,
    feedforward_channels=2048,
    num_fcs=2,
    ffn_drop=0.1,
    act_cfg=dict(type='ReLU', inplace=True),
)

model = dict(
    type='DETR',
    num_queries=100,
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
        out_indices=(3,),
        frozen_stages=-1,  # parent: 1; the stem was adapted to grey
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        stem_adaptation='sum',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(
        type='ChannelMapper',
        in_channels=[2048],
        kernel_size=1,
        out_channels=embed_dims,
        act_cfg=None,
        norm_cfg=None,
        num_outs=1,
    ),
    encoder=dict(num_layers=6, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=feed_forward)),
    decoder=dict(
        num_layers=6,
        layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=feed_forward),
        return_intermediate=True,
    ),
    positional_encoding=dict(num_feats=embed_dims // 2, normalize=True),
    bbox_head=dict(
        type='DETRHead',
        num_classes=num_classes,
        embed_dims=embed_dims,
        loss_cls=dict(type='CrossEntropyLoss', bg_cls_weight=0.1, use_sigmoid=False, loss_weight=1.0, class_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=5.0),
        loss_iou=dict(type='GIoULoss', loss_weight=2.0),
    ),
    train_cfg=dict(
        assigner=dict(
            type='HungarianAssigner',
            match_costs=[
                dict(type='ClassificationCost', weight=1.0),
                dict(type='BBoxL1Cost', weight=5.0, box_format='xywh'),
                dict(type='IoUCost', iou_mode='giou', weight=2.0),
            ],
        )
    ),
    test_cfg=dict(max_per_img=100),
)
