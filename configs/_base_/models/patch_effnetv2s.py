# EfficientNetV2-S on the three channels of a patch, and the head of paper 1. No neck: the head pools.
# Other backbones replace `backbone` and `head.in_channels`, and bring their own mean and std.
checkpoint = (
    'https://mmassets.onedl.ai/mmclassification/v0/efficientnetv2/efficientnetv2-s_3rdparty_in1k_20221220-f0eaff9d.pth'
)
model = dict(
    type='mmpretrain.ImageClassifier',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor',
        mean=[0.5, 0.5, 0.5],  # of images in [0, 1]; what these weights were trained with, not ImageNet's mean
        std=[0.5, 0.5, 0.5],
    ),
    backbone=dict(
        type='mmpretrain.EfficientNetV2',
        arch='s',
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(
        type='mmmammo.PatchHead',
        in_channels=1280,
        num_classes=10,
        hidden_channels=512,
        loss=dict(type='mmmammo.MultiLabelFocalLoss', gamma=2.0, alpha=None),
    ),
)
