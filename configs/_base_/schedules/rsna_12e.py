# Paper 2, experiments 1 to 5: Lookahead-RAdam with a cosine. The last epoch is scored, none is chosen.
max_epochs = 12
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='AmpOptimWrapper',  # needs a GPU; on a CPU: --cfg-options optim_wrapper.type=OptimWrapper
    optimizer=dict(type='mmmammo.LookaheadRAdam', lr=0.0004, weight_decay=1e-8),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=True, T_max=max_epochs, convert_to_iter_based=True)
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
