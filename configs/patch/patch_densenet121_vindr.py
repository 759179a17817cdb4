# DenseNet-121; the paper does not say which. Parent: ../patch_effnetv2s_vindr.py
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/vindr_patches.py',
    '../_base_/schedules/patch_plateau.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/vindr_full'
checkpoint = 'https://mmassets.onedl.ai/mmclassification/v0/densenet/densenet121_4xb256_in1k_20220426-07450f99.pth'
model = dict(
    data_preprocessor=dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),  # of the weights
    backbone=dict(
        _delete_=True,
        type='mmpretrain.DenseNet',
        arch='121',
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(in_channels=1024),
)
randomness = dict(seed=0)
