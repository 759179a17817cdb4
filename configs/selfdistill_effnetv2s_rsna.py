# Paper 2, experiment 8: self-distillation on EfficientNetV2-S, images of 1536 x 960 cut to the breast. Table 2: .4189.
# Differs from its notebook: the augmentation is that of experiment 3, the cycle begins as in experiments 6 and 7; see
# rsna/selfdistill_effnetv2s_rsna_as_published.py
_base_ = [
    './_base_/models/rsna_selfdistill_effnetv2s.py',
    './_base_/datasets/rsna_breasts_1536x960.py',
    './_base_/schedules/rsna_onecycle_12e.py',
    './_base_/default_runtime.py',
]

data_root = 'data/rsna/'
randomness = dict(seed=0)

train_dataloader = dict(batch_size=8)  # parent: 16
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=0.0001, weight_decay=1e-6))
_base_.param_scheduler[0].eta_max = 0.0001  # experiments 6 and 7: 0.0004
auto_scale_lr = dict(base_batch_size=8)
crossval = dict(seed=1)  # the others: 121
