# One logit on timm's smallest network of EfficientNetV2's blocks, from scratch. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(model_name='test_efficientnet', pretrained=False),
    head=dict(in_channels=256),  # parent: 1792
)
