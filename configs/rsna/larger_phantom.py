# Experiment 2 on the phantom: larger images. The twin of larger_effnetb4_rsna.py, small as ./baseline_phantom.py
_base_ = [
    '../_base_/models/rsna_small.py',
    '../_base_/datasets/phantom_rsna_192x120.py',
    '../_base_/schedules/rsna_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna/'
randomness = dict(seed=0)
