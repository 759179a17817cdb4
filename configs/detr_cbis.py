# DETR on CBIS-DDSM, a single-view baseline of paper 3 (FROC figure: area up to 1 false positive per image .709).
# The paper gives 100 queries and no schedule: DETR's own 150 epochs, its optimiser, and 2 images a step as Mask R-CNN.
_base_ = [
    './_base_/models/detr_r50_gray.py',
    './_base_/datasets/cbis_images.py',
    './_base_/schedules/single_stage.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
train_cfg = dict(max_epochs=150)  # parent: 56
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[100], gamma=0.1)]
optim_wrapper = dict(
    optimizer=dict(lr=0.0001),  # parent: 0.0002
    clip_grad=dict(max_norm=0.1),  # parent: 10
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1, decay_mult=1.0)}),
)
auto_scale_lr = dict(base_batch_size=2)
randomness = dict(seed=0)
