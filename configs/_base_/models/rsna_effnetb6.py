# One logit on EfficientNet-B6: 40,738,009 parameters. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(model_name='tf_efficientnet_b6.ns_jft_in1k'),
    head=dict(in_channels=2304),  # parent: 1792
)
