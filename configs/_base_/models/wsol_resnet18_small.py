# ResNet-18 of a quarter of its width, from scratch. Parent: ./wsol_resnet50.py
_base_ = ['./wsol_resnet50.py']

model = dict(
    backbone=dict(
        depth=18,
        stem_channels=16,
        base_channels=16,
        large_feature_map=True,  # parent: False; a mass of the phantom would hardly fill one cell of 14 x 14
        init_cfg=None,
    ),
    head=dict(in_channels=128),
)
