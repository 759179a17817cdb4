# Cancer, side, biopsy, view and implant on EfficientNet-B3: 10,711,602 parameters. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(model_name='tf_efficientnet_b3.ns_jft_in1k'),
    head=dict(_delete_=True, type='mmmammo.MultiTaskHead', in_channels=1536, alpha=0.8),
)
