# Experiment 4 on the phantom: cut to the breast, without the pectoral muscle. The twin of preprocessed_effnetb4_rsna.py
_base_ = [
    '../_base_/models/rsna_small.py',
    '../_base_/datasets/phantom_rsna_breasts_192x120.py',
    '../_base_/schedules/rsna_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna_no_muscle/'
randomness = dict(seed=0)
inputs = [
    dict(
        makes='data/phantom_rsna_no_muscle/prepare.json',
        command=_base_.inputs[0].command.replace('_cut', '_no_muscle') + ' --remove-pectoral',
    )
]

train_dataloader = dict(dataset=dict(data_root=data_root))  # parent: data/phantom_rsna_cut/
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
