# A YOLOv3 that trains from scratch on the phantom on a CPU: half a ResNet-18 for Darknet-53, a quarter of the channels
# behind it. Parent: ./yolov3_d53_gray.py
_base_ = ['./yolov3_d53_gray.py']

norm_cfg = dict(type='GN', num_groups=16, requires_grad=True)  # parent: BN; independent of the batch of 4 views

model = dict(
    data_preprocessor=dict(mean=[0.459], std=[0.226], copies=1),
    backbone=dict(
        _delete_=True,
        type='mmmammo.GrayResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(1, 2, 3),
        norm_cfg=norm_cfg,
        norm_eval=False,
    ),
    neck=dict(in_channels=[256, 128, 64], out_channels=[128, 64, 32], norm_cfg=norm_cfg),
    bbox_head=dict(
        in_channels=[128, 64, 32],
        out_channels=[256, 128, 64],
        norm_cfg=norm_cfg,
        # lesions of 13 to 42 px in images 320 px high, three shapes per level
        anchor_generator=dict(
            base_sizes=[
                [(36, 36), (44, 32), (32, 44)],
                [(24, 24), (29, 21), (21, 29)],
                [(15, 15), (18, 13), (13, 18)],
            ]
        ),
    ),
    test_cfg=dict(max_per_img=50),
)
