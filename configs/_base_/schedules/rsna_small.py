# From scratch on a CPU in minutes. Parent: ./rsna_12e.py
_base_ = ['./rsna_12e.py']

max_epochs = 15  # parent: 12
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper', optimizer=dict(type='mmmammo.LookaheadRAdam', lr=0.003, weight_decay=1e-8)
)  # parent: AMP, 0.0004
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=True, T_max=max_epochs, convert_to_iter_based=True)
]
auto_scale_lr = dict(base_batch_size=16)  # parent: 32
