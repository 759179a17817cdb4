# Experiment 8 on the phantom: the twin of selfdistill_effnetv2s_rsna.py that trains from scratch on a CPU.
# Differs from it: timm's smallest network of EfficientNetV2's blocks on images of 192 x 120.
_base_ = [
    './_base_/models/rsna_selfdistill_small.py',
    './_base_/datasets/phantom_rsna_breasts_192x120.py',
    './_base_/schedules/rsna_onecycle_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna_cut/'
randomness = dict(seed=0)

optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=0.001, weight_decay=1e-6))
_base_.param_scheduler[0].eta_max = 0.001  # experiments 6 and 7: 0.003
