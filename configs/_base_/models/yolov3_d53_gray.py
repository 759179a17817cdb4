# YOLOv3 with Darknet-53 for one-channel mammograms, the YOLO of paper 3's FROC figure.
# Parent: mmdet::yolo/yolov3_d53_8xb8-ms-608-273e_coco.py; a comment beside each number that departs from it.
num_classes = 1  # parent: 80

model = dict(
    type='YOLOV3',
    data_preprocessor=dict(
        type='mmmammo.ExamDataPreprocessor',
        mean=[0.0],
        std=[1.0],
        copies=3,  # its stem takes three channels
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='Darknet',
        depth=53,
        out_indices=(3, 4, 5),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://darknet53'),
    ),
    neck=dict(type='YOLOV3Neck', num_scales=3, in_channels=[1024, 512, 256], out_channels=[512, 256, 128]),
    bbox_head=dict(
        type='YOLOV3Head',
        num_classes=num_classes,
        in_channels=[512, 256, 128],
        out_channels=[1024, 512, 256],
        anchor_generator=dict(
            type='YOLOAnchorGenerator',
            # of COCO at 608 px: 10 to 373 px also covers masses at 1024 px; tools/analysis/fit_anchors.py fits others
            base_sizes=[
                [(116, 90), (156, 198), (373, 326)],
                [(30, 61), (62, 45), (59, 119)],
                [(10, 13), (16, 30), (33, 23)],
            ],
            strides=[32, 16, 8],
        ),
        bbox_coder=dict(type='YOLOBBoxCoder'),
        featmap_strides=[32, 16, 8],
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0, reduction='sum'),
        loss_conf=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0, reduction='sum'),
        loss_xy=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=2.0, reduction='sum'),
        loss_wh=dict(type='MSELoss', loss_weight=2.0, reduction='sum'),
    ),
    train_cfg=dict(assigner=dict(type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0)),
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.001,  # parent: 0.05; the FROC curve needs the weak detections too
        conf_thr=0.0005,  # parent: 0.005
        nms=dict(type='nms', iou_threshold=0.5),  # parent: 0.45; as Mask R-CNN beside it
        max_per_img=100,
    ),
)
