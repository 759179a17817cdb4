# Experiment 3 on the phantom: stronger augmentation. The twin of augmented_effnetb4_rsna.py
_base_ = [
    '../_base_/models/rsna_small.py',
    '../_base_/datasets/phantom_rsna_192x120.py',
    '../_base_/schedules/rsna_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna/'
randomness = dict(seed=0)

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.strong, _base_.pack])  # experiment 2: minimal
)
