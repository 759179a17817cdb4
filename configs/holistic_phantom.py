# The Holistic model on the phantom's screening programme: the twin of holistic_cohort.py that trains on a CPU.
_base_ = [
    './_base_/models/holistic_resnet18_small.py',
    './_base_/datasets/phantom_cohort.py',
    './_base_/schedules/cohort_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_cohort/'
randomness = dict(seed=0)
