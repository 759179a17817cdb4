# Paper 2, experiment 3: stronger augmentation. Table 2: .3291. Differs from ./larger_effnetb4_rsna.py: the pipeline.
# Differs from its notebook: no PiecewiseAffine, which takes 16 s per image and which the report does not name; Affine
# turns and moves at random, where the notebook's single numbers do the same to every image it is applied to.
_base_ = [
    '../_base_/models/rsna_effnetb4.py',
    '../_base_/datasets/rsna_views_1536x960.py',
    '../_base_/schedules/rsna_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna_whole/'
randomness = dict(seed=0)

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.strong, _base_.pack])  # experiment 2: minimal
)
auto_scale_lr = dict(base_batch_size=16)
