# RTMDet-l whose views see each other. Parent: mmdet::rtmdet/rtmdet_l_8xb32-300e_coco.py; a comment beside what departs.
num_classes = 1  # parent: 80
norm_cfg = dict(type='GN', num_groups=32)  # parent: SyncBN; a batch is one exam of four views
act_cfg = dict(type='SiLU', inplace=True)
channels = 256

model = dict(
    type='mmmammo.MultiViewRTMDet',
    use_syncbn=False,
    data_preprocessor=dict(
        type='mmmammo.ExamDataPreprocessor',
        mean=[0.459],  # luma-weighted ImageNet statistics, of images in [0, 1]
        std=[0.226],
        pad_size_divisor=32,  # parent: all images at 640 x 640
    ),
    backbone=dict(
        type='mmmammo.GrayCSPNeXt',
        arch='P5',
        expand_ratio=0.5,
        deepen_factor=1.0,
        widen_factor=1.0,
        channel_attention=True,
        norm_cfg=dict(type='BN'),
        norm_eval=True,  # parent: False; as above
        act_cfg=act_cfg,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/'
            'cspnext-l_8xb256-rsb-a1-600e_in1k-6a760974.pth',
        ),
    ),
    neck=[
        dict(
            type='CSPNeXtPAFPN',
            in_channels=[256, 512, 1024],
            out_channels=channels,
            num_csp_blocks=3,
            expand_ratio=0.5,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
        ),
        dict(
            type='mmmammo.AnatomyGraphNeck',
            in_channels=channels,
            num_nodes=(22, 26),  # pseudo-landmarks of a CC, an MLO view; as in the pipeline
            k=3,
            branches=(1, 3, 5),
            levels=(0, 1, 2),
            strides=(8, 16, 32),
            fusion='residual',
            prior=None,  # a path from tools/build_geometric_prior.py
        ),
    ],
    bbox_head=dict(
        type='RTMDetSepBNHead',
        num_classes=num_classes,
        in_channels=channels,
        stacked_convs=2,
        feat_channels=channels,
        anchor_generator=dict(type='MlvlPointGenerator', offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type='DistancePointBBoxCoder'),
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0),
        with_objectness=False,
        exp_on_reg=True,
        share_conv=True,
        pred_kernel_size=1,
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
    ),
    train_cfg=dict(
        assigner=dict(type='DynamicSoftLabelAssigner', topk=13), allowed_border=-1, pos_weight=-1, debug=False
    ),
    test_cfg=dict(
        nms_pre=1000,  # parent: 30000; a mammogram holds a handful of lesions
        min_bbox_size=0,
        score_thr=0.001,
        nms=dict(type='nms', iou_threshold=0.5),  # parent: 0.65
        max_per_img=100,  # parent: 300
    ),
)
