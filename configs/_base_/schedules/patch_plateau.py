# Adam, and a tenth of the rate after six epochs without a better validation loss, as in paper 1.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=1)  # the paper gives no number
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.0001))
param_scheduler = [dict(type='ReduceOnPlateauLR', monitor='focal/loss', rule='less', factor=0.1, patience=5)]
auto_scale_lr = dict(enable=False, base_batch_size=32)
