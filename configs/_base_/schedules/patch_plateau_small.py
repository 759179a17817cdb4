# From scratch on a CPU in minutes. Parent: ./patch_plateau.py
_base_ = ['./patch_plateau.py']

train_cfg = dict(max_epochs=25)  # parent: 50
optim_wrapper = dict(optimizer=dict(lr=0.001))  # parent: 0.0001, for pretrained weights
_base_.param_scheduler[0].patience = 3  # parent: 5, of 50 epochs
param_scheduler = _base_.param_scheduler
