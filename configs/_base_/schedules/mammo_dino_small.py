# From scratch on a CPU. Parent: ./mammo_dino_36e.py
_base_ = ['./mammo_dino_36e.py']

max_epochs = 24  # parent: 36
train_cfg = dict(max_epochs=max_epochs, val_interval=8)
optim_wrapper = dict(
    optimizer=dict(lr=0.0005),  # parent: 0.0001
    clip_grad=dict(max_norm=1.0),  # parent: 0.1
    paramwise_cfg=None,  # parent: a tenth of the rate for the backbone, which is pretrained there
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=max_epochs, milestones=[20], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=4)  # parent: 16
