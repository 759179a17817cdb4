# mmdet's DINO schedule, three times as long: a mammography set is small.
# Parent: mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=36, val_interval=2)  # parent: 12
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0001, weight_decay=0.0001),
    clip_grad=dict(max_norm=0.1, norm_type=2),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', begin=0, end=36, by_epoch=True, milestones=[30], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=1)  # an exam; parent: 16 images
