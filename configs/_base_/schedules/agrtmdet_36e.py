# RTMDet's optimiser with the length of ./agdino_36e.py.
# Parent: mmdet::rtmdet/rtmdet_l_8xb32-300e_coco.py; no mean of weights over time, no mosaic and mixup (an exam has no
# room for pieces of other women), 36 epochs instead of 300 from a pretrained backbone.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=36, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.00025, weight_decay=0.05),  # parent: 0.004 for 256 images
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
    clip_grad=dict(max_norm=35, norm_type=2),  # parent: none
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-5, by_epoch=False, begin=0, end=1000),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.05, begin=18, end=36, T_max=18, by_epoch=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=1)  # an exam; parent: 256 images
