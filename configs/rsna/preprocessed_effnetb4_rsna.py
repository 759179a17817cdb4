# Paper 2, experiment 4: cut to the breast, without the pectoral muscle. Table 2: .3353.
# Differs from ./augmented_effnetb4_rsna.py: the prepared set. The notebook left the muscle, see the twin as_published.
_base_ = [
    '../_base_/models/rsna_effnetb4.py',
    '../_base_/datasets/rsna_breasts_1536x960.py',
    '../_base_/schedules/rsna_12e.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/rsna_no_muscle/'
randomness = dict(seed=0)

train_dataloader = dict(dataset=dict(data_root=data_root))  # parent: data/rsna/
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
auto_scale_lr = dict(base_batch_size=16)
