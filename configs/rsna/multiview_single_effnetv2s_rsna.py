# Image by image on EfficientNetV2-S, 1536 x 960, cut to the breast; multiview_attention_* is compared with it.
# A breast is the mean of its images (pf1/breast) or their maximum (max/breast). Paper 2 announces this comparison and
# has no numbers of it.
_base_ = [
    '../_base_/models/rsna_effnetb4.py',
    '../_base_/datasets/rsna_breasts_1536x960.py',
    '../_base_/schedules/rsna_onecycle_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna/'
randomness = dict(seed=0)

model = dict(
    backbone=dict(model_name='tf_efficientnetv2_s.in1k'),
    head=dict(in_channels=1280),  # B4: 1792
)
auto_scale_lr = dict(base_batch_size=16)  # B4: 32
test_evaluator = [
    dict(type='mmmammo.ProbabilisticF1Metric'),
    dict(type='mmmammo.ProbabilisticF1Metric', levels=('breast',), rule='max', prefix='max'),
]
