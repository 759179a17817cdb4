# The second stage, from a checkpoint of the first. Parent: ./mammo_dino_36e.py; epochs and rate are our choice.
_base_ = ['./mammo_dino_36e.py']

train_cfg = dict(max_epochs=12)  # parent: 36
optim_wrapper = dict(optimizer=dict(lr=0.00001))  # parent: 0.0001
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=12, milestones=[11], gamma=0.1)]
