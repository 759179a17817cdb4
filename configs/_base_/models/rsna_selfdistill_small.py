# Self-distillation on timm's smallest network of EfficientNetV2's blocks. Parent: ./rsna_selfdistill_effnetv2s.py
_base_ = ['./rsna_selfdistill_effnetv2s.py']

model = dict(
    backbone=dict(model_name='test_efficientnet', pretrained=False),
    head=dict(in_channels=(32, 48, 64)),  # parent: (64, 160, 256)
)
