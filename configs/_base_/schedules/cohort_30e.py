# Paper 4 names neither optimiser nor epochs. Adam with a small step, lowered when validation stands still; with folds,
# where the exams of validation are those that are tested, it is lowered at set epochs instead (`crossval.options`).
max_epochs = 30
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.00001))
param_scheduler = [
    dict(type='ReduceOnPlateauLR', monitor='cohort/screening_auc_all', rule='greater', factor=0.1, patience=3)
]
auto_scale_lr = dict(enable=False, base_batch_size=4)
