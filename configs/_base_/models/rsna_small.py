# One logit on a small MobileNetV3, from scratch. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(model_name='mobilenetv3_small_050', pretrained=False),
    head=dict(in_channels=1024),  # parent: 1792
)
