# Two of ResNet-18 of a quarter of its width. Parent: ./attention_resnet101.py
_base_ = ['./attention_resnet101.py']

model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16),
    head=dict(in_channels=128),
    locator=dict(
        backbone=dict(depth=18, stem_channels=16, base_channels=16),
        head=dict(in_channels=128),
    ),
    roi_size=(96, 96),  # parent: 976 x 976
)
