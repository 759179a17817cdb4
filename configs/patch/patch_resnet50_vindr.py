# ResNet-50. Parent: ../patch_effnetv2s_vindr.py
_base_ = [
    '../_base_/models/patch_effnetv2s.py',
    '../_base_/datasets/vindr_patches.py',
    '../_base_/schedules/patch_plateau.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/vindr_full'
checkpoint = 'https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth'
model = dict(
    data_preprocessor=dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),  # of the weights
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(in_channels=2048),
)
randomness = dict(seed=0)
