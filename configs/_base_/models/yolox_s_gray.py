# YOLOX-s for one-channel mammograms, a single-view baseline of paper 3's FROC figure.
# Parent: mmdet::yolox/yolox_s_8xb8-300e_coco.py; a comment beside each number that departs from it. Its mosaic, mixup
# and size jitter are left out: the images are augmented as those of the other detectors.
num_classes = 1  # parent: 80
norm_cfg = dict(type='BN', momentum=0.03, eps=0.001)
act_cfg = dict(type='Swish')

model = dict(
    type='YOLOX',
    data_preprocessor=dict(
        type='mmmammo.ExamDataPreprocessor',
        mean=[0.0],
        std=[1 / 255],  # to the 0 to 255 that the COCO weights know
        copies=3,  # its stem takes three channels
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='CSPDarknet',
        deepen_factor=0.33,
        widen_factor=0.5,
        out_indices=(2, 3, 4),
        spp_kernal_sizes=(5, 9, 13),
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
        init_cfg=dict(  # parent: none; mammograms are too few to start from nothing
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v2.0/yolox/yolox_s_8x8_300e_coco/'
            'yolox_s_8x8_300e_coco_20211121_095711-4592a793.pth',
        ),
    ),
    neck=dict(
        type='YOLOXPAFPN',
        in_channels=[128, 256, 512],
        out_channels=128,
        num_csp_blocks=1,
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
    ),
    bbox_head=dict(
        type='YOLOXHead',
        num_classes=num_classes,
        in_channels=128,
        feat_channels=128,
        stacked_convs=2,
        strides=(8, 16, 32),
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True, reduction='sum', loss_weight=1.0),
        loss_bbox=dict(type='IoULoss', mode='square', eps=1e-16, reduction='sum', loss_weight=5.0),
        loss_obj=dict(type='CrossEntropyLoss', use_sigmoid=True, reduction='sum', loss_weight=1.0),
        loss_l1=dict(type='L1Loss', reduction='sum', loss_weight=1.0),
    ),
    train_cfg=dict(assigner=dict(type='SimOTAAssigner', center_radius=2.5)),
    test_cfg=dict(
        score_thr=0.001,  # parent: 0.01; the FROC curve needs the weak detections too
        nms=dict(type='nms', iou_threshold=0.5),  # parent: 0.65; as Mask R-CNN beside it
        max_per_img=100,
    ),
)
