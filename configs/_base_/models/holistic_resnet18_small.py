# ResNet-18 of a quarter of its width, from scratch. Parent: ./holistic_resnet101.py
_base_ = ['./holistic_resnet101.py']

model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16, init_cfg=None),
    head=dict(in_channels=128),
)
