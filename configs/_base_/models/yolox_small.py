# A YOLOX that trains from scratch on the phantom on a CPU: half the width of YOLOX-s. Parent: ./yolox_s_gray.py
_base_ = ['./yolox_s_gray.py']

norm_cfg = dict(_delete_=True, type='GN', num_groups=8)  # parent: BN; independent of the batch of 4 views

model = dict(
    data_preprocessor=dict(mean=[0.459], std=[0.226]),  # parent: 0 to 255, for its weights
    backbone=dict(widen_factor=0.25, norm_cfg=norm_cfg, init_cfg=dict(_delete_=True, type='Kaiming', layer='Conv2d')),
    neck=dict(in_channels=[64, 128, 256], out_channels=64, norm_cfg=norm_cfg),
    bbox_head=dict(in_channels=64, feat_channels=64, norm_cfg=norm_cfg),
    test_cfg=dict(max_per_img=50),
)
