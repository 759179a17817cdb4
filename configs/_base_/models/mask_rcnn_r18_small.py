# A Mask R-CNN that trains from scratch on the phantom on a CPU: ResNet-18 of half its width, 64 channels, light heads.
# Parent: ./mask_rcnn_r50_gray.py
_base_ = ['./mask_rcnn_r50_gray.py']

channels = 64  # parent: 256
norm_cfg = dict(type='GN', num_groups=16, requires_grad=True)  # parent: frozen BN; independent of the batch of 4 views

model = dict(
    backbone=dict(
        depth=18,
        stem_channels=32,  # parent: 64
        base_channels=32,
        norm_cfg=norm_cfg,
        norm_eval=False,
        init_cfg=None,  # no pretrained weights
    ),
    neck=dict(in_channels=[32, 64, 128, 256], out_channels=channels, norm_cfg=norm_cfg),
    rpn_head=dict(
        in_channels=channels,
        feat_channels=channels,
        anchor_generator=dict(base_sizes=[16, 32, 64, 128, 256]),  # lesions of 13 to 42 px in images 320 px high
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=channels),
        bbox_head=dict(in_channels=channels, fc_out_channels=256),
        mask_roi_extractor=dict(out_channels=channels),
        mask_head=dict(num_convs=2, in_channels=channels, conv_out_channels=channels),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=400, max_per_img=200),
        rcnn=dict(sampler=dict(num=128)),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=400, max_per_img=200),
        rcnn=dict(max_per_img=50),
    ),
)
