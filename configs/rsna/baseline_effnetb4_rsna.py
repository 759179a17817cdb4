# Paper 2, experiment 1: EfficientNet-B4 on whole images of 1024 x 1024. Table 2: best-threshold F1 of images .2639.
# Differs from its notebook: weight decay as the report says (the notebook's was 0), images in random order, 16 bits.
_base_ = [
    '../_base_/models/rsna_effnetb4.py',
    '../_base_/datasets/rsna_views.py',
    '../_base_/schedules/rsna_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna_whole/'
randomness = dict(seed=0)
