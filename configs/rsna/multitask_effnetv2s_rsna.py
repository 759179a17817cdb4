# Paper 2, experiment 7: five tasks on EfficientNetV2-S. Table 2: .3985.
# Differs from ./multitask_effnetb3_rsna.py: the backbone, and batches of 16.
_base_ = [
    '../_base_/models/rsna_multitask_effnetv2s.py',
    '../_base_/datasets/rsna_views_1536x960.py',
    '../_base_/schedules/rsna_onecycle_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna_whole/'
randomness = dict(seed=0)

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.multitask, _base_.pack]),
)
auto_scale_lr = dict(base_batch_size=16)
