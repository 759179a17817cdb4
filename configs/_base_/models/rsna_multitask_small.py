# All tasks on three quarters of timm's smallest network, from scratch. Parent: ./rsna_multitask_effnetb3.py
_base_ = ['./rsna_multitask_effnetb3.py']

model = dict(
    backbone=dict(model_name='test_efficientnet', channel_multiplier=0.75, pretrained=False),
    head=dict(in_channels=192),  # parent: 1536
)
