# The twin of patch_effnetv2s_vindr_windows.py that trains from scratch on a CPU.
# Parent: ./patch_effnetv2s_phantom_sliding.py
_base_ = ['./patch_effnetv2s_phantom_sliding.py']

model = dict(sliding=dict(focal_gamma=2.0))  # parent: 0; outputs become probabilities before windows are averaged
train_dataloader = dict(dataset=dict(type='mmmammo.WindowDataset', window=_base_.window))
val_dataloader = dict(dataset=dict(type='mmmammo.WindowDataset', window=_base_.window, windows=1))
val_evaluator = [dict(type='mmmammo.FocalLossMetric', gamma=0.0)]  # of probabilities: cross-entropy
