# One encoder for all views of an exam, pooled by attention: a score per breast. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(model_name='tf_efficientnetv2_s.in1k'),
    head=dict(
        _delete_=True,
        type='mmmammo.AttentionPoolingHead',
        in_channels=1280,
        hidden=128,
        gated=True,
        dropout=0.2,
        exam_context=True,  # False: the other breast is not looked at
    ),
)
