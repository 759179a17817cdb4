# A new head on frozen columns. Paper 4 names neither optimiser nor epochs; that of its own models is taken.
max_epochs = 30
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.0001))
param_scheduler = [
    dict(type='ReduceOnPlateauLR', monitor='cohort/screening_auc_all', rule='greater', factor=0.1, patience=3)
]
auto_scale_lr = dict(enable=False, base_batch_size=4)
