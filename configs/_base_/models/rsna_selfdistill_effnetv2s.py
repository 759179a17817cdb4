# EfficientNetV2-S with Mish, hooks at strides 8 and 16: 19,880,211 parameters. Parent: ./rsna_effnetb4.py
_base_ = ['./rsna_effnetb4.py']

model = dict(
    backbone=dict(
        model_name='tf_efficientnetv2_s.in1k',
        features_only=True,
        out_indices=(2, 3, 4),  # strides 8, 16, 32
        act_layer='mish',  # the weights were trained with SiLU
    ),
    neck=None,
    head=dict(_delete_=True, type='mmmammo.SelfDistillationHead', in_channels=(64, 160, 256), dropout=0.2),
)
