# MobileNetV2; the paper does not say which. Parent: ../patch_effnetv2s_vindr.py
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/vindr_patches.py',
    '../_base_/schedules/patch_plateau.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/vindr_full'
checkpoint = (
    'https://mmassets.onedl.ai/mmclassification/v0/mobilenet_v2/mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth'
)
model = dict(
    data_preprocessor=dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),  # of the weights
    backbone=dict(
        _delete_=True,
        type='mmpretrain.MobileNetV2',
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(in_channels=1280),
)
randomness = dict(seed=0)
