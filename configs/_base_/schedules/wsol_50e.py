# The WSOL benchmark's SGD. It tunes learning rates per method and backbone, and epochs per dataset (10 to 50).
max_epochs = 50
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0001, nesterov=True),
    # ten times as fast: what is new, and of a ResNet its last stage
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10), 'backbone.layer4': dict(lr_mult=10)}),
)
param_scheduler = [dict(type='StepLR', by_epoch=True, step_size=30, gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
