# From scratch on one CPU core in about an hour. Parent: ./mask_rcnn_staged.py, without stages.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0005, weight_decay=0.01),  # parent: SGD; too slow from scratch
    clip_grad=dict(max_norm=10.0),  # parent: 1.0
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.05, by_epoch=True, begin=0, T_max=3, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=4)  # images; parent: 2
