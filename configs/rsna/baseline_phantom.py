# Experiment 1 on the phantom: the twin of baseline_effnetb4_rsna.py that trains from scratch on a CPU.
# Differs from it: timm's smallest network of EfficientNetV2's blocks, on images of 128 x 128.
_base_ = [
    '../_base_/models/rsna_small.py',
    '../_base_/datasets/phantom_rsna.py',
    '../_base_/schedules/rsna_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna/'
randomness = dict(seed=0)
