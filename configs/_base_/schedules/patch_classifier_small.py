# From scratch on a CPU in minutes. Parent: ./patch_classifier.py
_base_ = ['./patch_classifier.py']

train_cfg = dict(max_epochs=15, val_interval=5)  # parent: 30
optim_wrapper = dict(optimizer=dict(lr=0.001))  # parent: 0.0001, for pretrained weights
_base_.param_scheduler[0].end = 20  # parent: 100
_base_.param_scheduler[1].T_max = 15
param_scheduler = _base_.param_scheduler
