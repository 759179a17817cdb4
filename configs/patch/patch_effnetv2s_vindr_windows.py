# Trained on the paper's patches and on windows as sliding inference cuts them, half of the draws without a finding.
# Parent: ./patch_effnetv2s_vindr_sliding.py, which slides a classifier that has seen the paper's patches alone.
_base_ = ['./patch_effnetv2s_vindr_sliding.py']

model = dict(sliding=dict(focal_gamma=2.0))  # parent: 0; outputs become probabilities before windows are averaged
train_dataloader = dict(dataset=dict(type='mmmammo.WindowDataset', window=_base_.window))
val_dataloader = dict(dataset=dict(type='mmmammo.WindowDataset', window=_base_.window, windows=1))
val_evaluator = [dict(type='mmmammo.FocalLossMetric', gamma=0.0)]  # of probabilities: cross-entropy
