# Paper 2, experiment 2: larger images. Table 2: .3057. Differs from ./baseline_effnetb4_rsna.py: 1536 x 960.
# Differs from its notebook, which changed the augmentation in the same step: see the twin as_published.
_base_ = [
    '../_base_/models/rsna_effnetb4.py',
    '../_base_/datasets/rsna_views_1536x960.py',
    '../_base_/schedules/rsna_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna_whole/'
randomness = dict(seed=0)
auto_scale_lr = dict(base_batch_size=16)
