# 36 epochs, as mmdet's and DINO's longest schedule for R50; the paper says neither epochs nor batch.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=36, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0001, weight_decay=0.0001),  # the paper's
    clip_grad=dict(max_norm=0.1, norm_type=2),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=36, milestones=[30], gamma=0.1)]
# lr is for 16 images a step, 8 GPUs of 2; fewer: tools/train.py --auto-scale-lr
auto_scale_lr = dict(enable=False, base_batch_size=16)
