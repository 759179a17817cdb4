# Experiment 6 on the phantom: five tasks. The twin of multitask_effnetb3_rsna.py
_base_ = [
    '../_base_/models/rsna_multitask_small.py',
    '../_base_/datasets/phantom_rsna_192x120.py',
    '../_base_/schedules/rsna_onecycle_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna/'
randomness = dict(seed=0)

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.multitask, _base_.pack]),
)
