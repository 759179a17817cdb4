# The twin of malignancy_inceptionv3_cbis.py: from scratch, on patches of 96 pixels (the network takes 75 at least).
_base_ = [
    '../_base_/models/malignancy_inceptionv3.py',
    '../_base_/datasets/phantom_findings.py',
    '../_base_/schedules/patch_classifier_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
patch_size = 96  # parent: 64
_base_.train_pipeline[1].size = patch_size
_base_.test_pipeline[1].size = patch_size
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

model = dict(backbone=dict(init_cfg=None))
randomness = dict(seed=0)
