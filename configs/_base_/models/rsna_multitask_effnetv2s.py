# The same tasks on EfficientNetV2-S: 20,190,298 parameters. Parent: ./rsna_multitask_effnetb3.py
_base_ = ['./rsna_multitask_effnetb3.py']

model = dict(
    backbone=dict(model_name='tf_efficientnetv2_s.in1k'),
    head=dict(in_channels=1280),  # parent: 1536
)
